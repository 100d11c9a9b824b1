#include "eval/scored_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/files.h"
#include "text/hf_tokenizer.h"

namespace nibble {
namespace {

Tokenizer lab7m_tokenizer() {
  HfTokenizerFiles files;
  files.tokenizer_model = read_file(kLab7m / "tokenizer.model");
  return Tokenizer(vocabulary_from_hf(files, 4096));
}

class ScoredTexts : public testing::Test {
 protected:
  using Strings = std::vector<std::string>;

  static ChoiceItem item(std::string context, Strings choices) {
    ChoiceItem made;
    made.id = "q7";
    made.context = std::move(context);
    made.choices = std::move(choices);
    made.right = {0};
    return made;
  }

  std::vector<ScoredText> texts(const ChoiceItem& of, ChoiceProtocol protocol, size_t longest = 512,
                                const std::string& examples = "") const {
    return scored_texts(of, examples, tokenizer_, protocol, longest);
  }

  // What is scored, as text; the tokens before it stand before " | ".
  std::string shown(const ScoredText& text) const {
    std::string result;
    for (size_t i = 0; i < text.tokens.size(); ++i) {
      if (i == text.first) result += " |";
      result += unmark_spaces(tokenizer_.piece(text.tokens[i]));
    }
    return result;
  }

  Tokenizer tokenizer_ = lab7m_tokenizer();
};

TEST_F(ScoredTexts, GiveTheContextsLastSpaceToTheChoice) {
  const auto without = texts(item("He sat by the", {"fire", "sea"}), ChoiceProtocol::kHarness);
  EXPECT_EQ(shown(without[0]), "<s> He sat by the | fire");
  EXPECT_EQ(shown(without[1]), "<s> He sat by the | sea");
  ChoiceItem spaced = item("He sat by the \n", {"fire", "sea"});
  spaced.delimiter = "";
  EXPECT_EQ(shown(texts(spaced, ChoiceProtocol::kHarness)[1]).substr(0, 20),
            "<s> He sat by the | ");
}

TEST_F(ScoredTexts, BeginWithTheStartTokenWhereThereIsNoContext) {
  const auto found = texts(item("", {"fire", "sea"}), ChoiceProtocol::kHarness);
  EXPECT_EQ(found[0].first, 1u);
  EXPECT_EQ(found[0].tokens.front(), tokenizer_.vocabulary().bos);
}

TEST_F(ScoredTexts, ReadControlTokensAsTheHarnessDoes) {
  const auto found = texts(item("<s>He sat", {"down</s>", "up"}), ChoiceProtocol::kHarness);
  EXPECT_EQ(std::count(found[0].tokens.begin(), found[0].tokens.end(), 1u), 1);
  EXPECT_EQ(found[0].tokens.back(), 2u);
}

TEST_F(ScoredTexts, LoseTheirBeginningWhenTheyAreTooLong) {
  const auto whole = texts(item("He sat by the", {"fire", "sea"}), ChoiceProtocol::kHarness);
  const auto cut = texts(item("He sat by the", {"fire", "sea"}), ChoiceProtocol::kHarness, 3);
  EXPECT_EQ(shown(cut[0]), " sat by the | fire");
  EXPECT_EQ(
      texts(item("the", {"fire", "sea"}), ChoiceProtocol::kHarness, 512, "He sat by ")[0].tokens,
      whole[0].tokens);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"q7", "choice 0"}, [&] {
    texts(item("He", {"sat by the fire", "sea"}), ChoiceProtocol::kHarness, 2);
  }));
}

TEST_F(ScoredTexts, AreScoredWhereTheyPart) {
  const auto found =
      texts(item("He sat by", {"the fire", "the sea", "the"}), ChoiceProtocol::kAfterCommonTokens);
  EXPECT_EQ(shown(found[0]), "<s> He sat by | the fire");  // the shortest keeps a token
  const auto two =
      texts(item("He sat by", {"the fire", "the sea"}), ChoiceProtocol::kAfterCommonTokens);
  EXPECT_EQ(shown(two[1]), "<s> He sat by the | sea");
}

TEST_F(ScoredTexts, AreScoredAfterTheOptionWithoutTheFullStop) {
  ChoiceItem gap = item("", {"When the king", "When the queen"});
  gap.delimiter = "";
  gap.ending = " was old and very tired.";
  const auto found = texts(gap, ChoiceProtocol::kAfterOption);
  EXPECT_EQ(shown(found[0]), "<s> When the king | was old and very tired");
  gap.ending = " was.";
  EXPECT_EQ(shown(texts(gap, ChoiceProtocol::kAfterOption)[1]), "<s> When the | queen was");
}

TEST_F(ScoredTexts, RefuseChoicesThatAddNothing) {
  ChoiceItem empty = item("He sat", {"down", ""});
  empty.delimiter = "";
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"q7", "choice 1 adds no token"},
                         [&] { texts(empty, ChoiceProtocol::kHarness); }));
}

}  // namespace
}  // namespace nibble
