#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include "support/files.h"
#include "text/stream_decoder.h"
#include "unit/text/tiny_vocabulary.h"

namespace nibble {
namespace {

constexpr const char* kSpace = "\u2581";

std::vector<std::string> pieces(const Tokenizer& tokenizer, std::string_view text,
                                const EncodeOptions& options = {.add_special = false}) {
  std::vector<std::string> result;
  for (const uint32_t id : tokenizer.encode(text, options)) result.push_back(tokenizer.piece(id));
  return result;
}

using Pieces = std::vector<std::string>;

TEST(Tokenizer, MergesTheHighestScoreFirst) {
  EXPECT_EQ(pieces(Tokenizer(tiny_vocabulary({"bc", "ab", "a", "b", "c", kSpace})), "abc"),
            (Pieces{" ", "a", "bc"}));
  EXPECT_EQ(pieces(Tokenizer(tiny_vocabulary({"ab", "bc", "a", "b", "c", kSpace})), "abc"),
            (Pieces{" ", "ab", "c"}));
}

TEST(Tokenizer, MergesTheLeftmostOfEquals) {
  const Tokenizer tokenizer(tiny_vocabulary({"aa", "a", kSpace}));
  EXPECT_EQ(pieces(tokenizer, "aaaaa"), (Pieces{" ", "aa", "aa", "a"}));
}

TEST(Tokenizer, MergesWhatWasMerged) {
  const Tokenizer tokenizer(
      tiny_vocabulary({"ab", "cd", "abcd", "\u2581abcd", "a", "b", "c", "d", kSpace}));
  EXPECT_EQ(pieces(tokenizer, "abcd abcdab"), (Pieces{" abcd", " abcd", "ab"}));
}

TEST(Tokenizer, MergesAcrossWordsWhereATokenDoes) {
  const Tokenizer tokenizer(tiny_vocabulary({"a\u2581b", "a\u2581", "a", "b", kSpace}));
  EXPECT_EQ(pieces(tokenizer, "a ba"), (Pieces{" ", "a b", "a"}));
}

TEST(Tokenizer, KeepsRunsOfSpacesTogether) {
  const Tokenizer tokenizer(tiny_vocabulary({"\u2581\u2581", "\u2581a", "a", kSpace}));
  EXPECT_EQ(pieces(tokenizer, "a   a"), (Pieces{" a", "  ", " a"}));
}

TEST(Tokenizer, MakesNoControlTokenFromText) {
  Vocabulary vocabulary = tiny_vocabulary({"</", "s>", "<", "/", "s", ">", kSpace});
  EXPECT_EQ(pieces(Tokenizer(vocabulary), "</s>"), (Pieces{" ", "</", "s>"}));
}

TEST(Tokenizer, SpellsUnknownSymbolsInBytes) {
  const Tokenizer tokenizer(tiny_vocabulary({"a", kSpace}));
  EXPECT_EQ(tokenizer.encode("a\u00fc", {.add_special = false}),
            (std::vector<uint32_t>{260, 259, 3 + 0xc3, 3 + 0xbc}));
  EXPECT_EQ(tokenizer.encode("\xff\xc3", {.add_special = false}),
            (std::vector<uint32_t>{260, 3 + 0xff, 3 + 0xc3}));
}

TEST(Tokenizer, TakesOneUnknownTokenForARunWithoutByteTokens) {
  const Tokenizer tokenizer(tiny_vocabulary({"a", kSpace}, false));
  EXPECT_EQ(tokenizer.encode("axyax", {.add_special = false}),
            (std::vector<uint32_t>{4, 3, 0, 3, 0}));
}

TEST(Tokenizer, AddsBosAndEosAsTheVocabularyWants) {
  Vocabulary vocabulary = tiny_vocabulary({"a", kSpace});
  EXPECT_EQ(Tokenizer(vocabulary).encode(""), (std::vector<uint32_t>{1}));
  EXPECT_EQ(Tokenizer(vocabulary).encode("a"), (std::vector<uint32_t>{1, 260, 259}));
  vocabulary.add_eos = true;
  EXPECT_EQ(Tokenizer(vocabulary).encode("a"), (std::vector<uint32_t>{1, 260, 259, 2}));
  EXPECT_TRUE(Tokenizer(vocabulary).encode("", {.add_special = false}).empty());
}

TEST(Tokenizer, ParsesControlTokensOnRequest) {
  const Tokenizer tokenizer(tiny_vocabulary({"a", "b", kSpace}));
  EXPECT_EQ(pieces(tokenizer, "a</s>b", {.add_special = false, .parse_special = true}),
            (Pieces{" ", "a", "</s>", " ", "b"}));
  EXPECT_EQ(tokenizer.encode("</s>", {.add_special = false, .parse_special = true}),
            (std::vector<uint32_t>{2}));
}

TEST(Tokenizer, AlwaysMatchesUserDefinedTokensTheLongestOfThem) {
  Vocabulary vocabulary = tiny_vocabulary({"a", kSpace});
  add_token(vocabulary, "<x", TokenType::kUserDefined);
  add_token(vocabulary, "<x y>", TokenType::kUserDefined);
  EXPECT_EQ(pieces(Tokenizer(vocabulary), "a<x y>a<xa"),
            (Pieces{" ", "a", "<x y>", " ", "a", "<x", " ", "a"}));
}

TEST(Tokenizer, LeavesThePrefixSpaceOutWhereTheVocabularyHasNone) {
  Vocabulary vocabulary = tiny_vocabulary({"a", kSpace});
  vocabulary.add_space_prefix = false;
  const Tokenizer tokenizer(vocabulary);
  EXPECT_EQ(pieces(tokenizer, "a"), (Pieces{"a"}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(" a")), " a");
}

TEST(Tokenizer, DecodesWhatItEncoded) {
  Vocabulary vocabulary = tiny_vocabulary({"ab", "a", "b", "\u2581a", "\u2581\u2581", kSpace});
  add_token(vocabulary, "<x>", TokenType::kUserDefined);
  const Tokenizer tokenizer(vocabulary);
  for (const char* text : {"", " ", "  ", "a", " a", "   ab  b ", "a<x>b<x> <x>",
                           "\n\t\r\u00fc\U0001F999", "<x>a", "</s>", "\xff\xfe broken \xc3"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, {.add_special = false})), text);
  }
}

TEST(Tokenizer, WritesControlTokensOnRequestOnly) {
  const Tokenizer tokenizer(tiny_vocabulary({"a", "\u2581a"}));
  const std::vector<uint32_t> ids = {1, 260, 2};
  EXPECT_EQ(tokenizer.decode(ids), "a");
  EXPECT_EQ(tokenizer.decode(ids, {.special = true}), "<s>a</s>");
  EXPECT_EQ(tokenizer.piece(2), "</s>");
}

TEST(Tokenizer, KeepsTheSpaceWhereIdsContinueAText) {
  const Tokenizer tokenizer(tiny_vocabulary({"a", "\u2581a"}));
  const std::vector<uint32_t> ids = {260, 260};
  EXPECT_EQ(tokenizer.decode(ids), "a a");
  EXPECT_EQ(tokenizer.decode(ids, {.is_start = false}), " a a");
}

TEST(Tokenizer, RefusesIdsOutsideTheVocabulary) {
  const Tokenizer tokenizer(tiny_vocabulary({"a"}));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"260"}, [&] { tokenizer.piece(260); }));
}

TEST(Tokenizer, StaysUsableWhenMoved) {
  Tokenizer first(tiny_vocabulary({"ab", "a", "b", kSpace}));
  const Tokenizer second(std::move(first));
  EXPECT_EQ(pieces(second, "ab"), (Pieces{" ", "ab"}));
}

TEST(StreamDecoder, HoldsCharactersBackUntilTheyAreWhole) {
  const Tokenizer tokenizer(tiny_vocabulary({"\u2581a"}));
  StreamDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.next(259), "a");
  EXPECT_EQ(decoder.next(3 + 0xf0), "");
  EXPECT_EQ(decoder.next(3 + 0x9f), "");
  EXPECT_EQ(decoder.next(3 + 0xa6), "");
  EXPECT_EQ(decoder.next(3 + 0x99), "\U0001F999");
  EXPECT_EQ(decoder.next(259), " a");
  EXPECT_EQ(decoder.finish(), "");
}

TEST(StreamDecoder, ReplacesWhatIsNoUtf8) {
  const Tokenizer tokenizer(tiny_vocabulary({"a"}));
  StreamDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.next(3 + 0xff), "\uFFFD");
  EXPECT_EQ(decoder.next(3 + 0xc3), "");
  EXPECT_EQ(decoder.next(259), "\uFFFDa");
  EXPECT_EQ(decoder.next(3 + 0xe2), "");
  EXPECT_EQ(decoder.finish(), "\uFFFD");
  EXPECT_EQ(decoder.finish(), "");
}

}  // namespace
}  // namespace nibble
