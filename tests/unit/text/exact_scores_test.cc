#include "text/exact_scores.h"

#include <gtest/gtest.h>

#include "support/files.h"
#include "text/tokenizer.h"

namespace nibble {
namespace {

// What PyPI's tokenizers 0.23.3 writes again after reading the first number.
TEST(ExactScores, AreReadAsTheLibraryReadsThem) {
  EXPECT_EQ(score_as_read(-7.2271928787231445), -7.227192878723144);
  EXPECT_EQ(score_as_read(-7.5324177742004395), -7.53241777420044);
  EXPECT_EQ(score_as_read(-3.4375827312469482), -3.437582731246948);
  EXPECT_EQ(score_as_read(-7.2304792404174805), -7.23047924041748);
  for (const double same : {0.0, 1.0, -2.5, -0.1, 1e-5, 123456.75, 1e22, 5e-324, 1.5e300})
    EXPECT_EQ(score_as_read(same), same);
}

// "ggggggg" can be cut in three ways with the same sum; the ids are those of tokenizers 0.23.3.
Vocabulary vocabulary_of(const std::vector<double>& scores) {
  Vocabulary vocabulary;
  vocabulary.model = "t5";
  vocabulary.tokens = {"<unk>", "g", "ggg"};
  vocabulary.types = {TokenType::kNormal, TokenType::kNormal, TokenType::kNormal};
  vocabulary.unk = 0;
  vocabulary.add_space_prefix = vocabulary.add_eos = vocabulary.add_bos = false;
  vocabulary.definition = R"({"model": {"type": "Unigram"}})";
  set_scores(scores, vocabulary);
  return vocabulary;
}

std::vector<uint32_t> ids_of(const Vocabulary& vocabulary) {
  return Tokenizer(vocabulary).encode("ggggggg");
}

TEST(ExactScores, DecideBetweenEqualSums) {
  EXPECT_EQ(ids_of(vocabulary_of({0, -8.304203033447266, -9.356025695800781})),
            (std::vector<uint32_t>{2, 2, 1}));
  EXPECT_EQ(ids_of(vocabulary_of({0, -8, -9})), (std::vector<uint32_t>{1, 2, 2}));
}

TEST(ExactScores, AreStoredWhereTheyDoNotFollowFromFloats) {
  const auto through_metadata = [](const Vocabulary& vocabulary) {
    Metadata metadata;
    add_vocabulary(vocabulary, metadata);
    return vocabulary_from_metadata(metadata);
  };
  const Vocabulary floats = vocabulary_of({0, -8.304203033447266, -9.356025695800781});
  EXPECT_TRUE(floats.exact_scores.empty());
  EXPECT_EQ(ids_of(through_metadata(floats)), ids_of(floats));
  const Vocabulary doubles = vocabulary_of({0, -8.3042030334472, -9.35602569580078});
  EXPECT_EQ(doubles.exact_scores.size(), 3u);
  EXPECT_EQ(through_metadata(doubles).exact_scores, doubles.exact_scores);
}

TEST(ExactScores, ThatAreNoneAreRefused) {
  Vocabulary vocabulary = vocabulary_of({0, -8, -9});
  for (const std::vector<double>& damaged :
       {std::vector<double>(4), {0, 1, std::numeric_limits<double>::infinity()}}) {
    vocabulary.exact_scores = damaged;
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"nibble.tokenizer.scores"},
                           [&] { check_vocabulary(vocabulary, "file"); }));
  }
}

TEST(UnigramModel, MakesControlTokensOfATextOnlyWhenAsked) {
  Vocabulary vocabulary = vocabulary_of({0, -8, -9});
  vocabulary.types[2] = TokenType::kControl;
  vocabulary.definition = R"({"model": {"type": "Unigram"}, "normalizer": {"type": "Lowercase"}})";
  const Tokenizer tokenizer(vocabulary);
  EXPECT_EQ(tokenizer.encode("GGG", {.parse_special = true}), (std::vector<uint32_t>{2}));
  EXPECT_EQ(tokenizer.encode("GGG"), (std::vector<uint32_t>{1, 1, 1}));
}

}  // namespace
}  // namespace nibble
