#include "text/vocabulary.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/files.h"
#include "unit/text/tiny_vocabulary.h"

namespace nibble {
namespace {

Metadata tiny_metadata() {
  Metadata metadata;
  metadata.set_origin("tiny.gguf");
  add_vocabulary(tiny_vocabulary({"ab", "\u2581"}), metadata);
  return metadata;
}

TEST(Vocabulary, SurvivesMetadata) {
  Vocabulary written = tiny_vocabulary({"ab", "\u2581"});
  written.pad = 2;
  written.add_bos = false;
  written.add_eos = true;
  written.add_space_prefix = false;
  written.chat_template = "{{ messages }}";
  Metadata metadata;
  add_vocabulary(written, metadata);
  const Vocabulary read = vocabulary_from_metadata(metadata);
  EXPECT_EQ(read.tokens, written.tokens);
  EXPECT_EQ(read.scores, written.scores);
  EXPECT_EQ(read.types, written.types);
  EXPECT_EQ(read.bos, 1u);
  EXPECT_EQ(read.eos, 2u);
  EXPECT_EQ(read.unk, 0u);
  EXPECT_EQ(read.pad, 2u);
  EXPECT_FALSE(read.add_bos);
  EXPECT_TRUE(read.add_eos);
  EXPECT_FALSE(read.add_space_prefix);
  EXPECT_EQ(read.chat_template, "{{ messages }}");
}

TEST(Vocabulary, WritesTheKeysOfLlamaCppsConverterInItsOrder) {
  const Metadata metadata = tiny_metadata();
  std::vector<std::string> keys;
  for (const auto& [key, value] : metadata.entries()) keys.push_back(key);
  EXPECT_EQ(keys,
            (std::vector<std::string>{
                "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens",
                "tokenizer.ggml.scores", "tokenizer.ggml.token_type", "tokenizer.ggml.bos_token_id",
                "tokenizer.ggml.eos_token_id", "tokenizer.ggml.unknown_token_id",
                "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token"}));
}

TEST(Vocabulary, TakesLlamaCppsDefaultsForAbsentKeys) {
  Metadata metadata = tiny_metadata();
  for (const char* key : {"pre", "bos_token_id", "eos_token_id", "unknown_token_id",
                          "add_bos_token", "add_eos_token"}) {
    metadata.erase(std::string("tokenizer.ggml.") + key);
  }
  const Vocabulary vocabulary = vocabulary_from_metadata(metadata);
  EXPECT_EQ(vocabulary.bos, 1u);
  EXPECT_EQ(vocabulary.eos, 2u);
  EXPECT_EQ(vocabulary.unk, 0u);
  EXPECT_EQ(vocabulary.pad, std::nullopt);
  EXPECT_TRUE(vocabulary.add_bos);
  EXPECT_FALSE(vocabulary.add_eos);
  EXPECT_TRUE(vocabulary.add_space_prefix);
}

TEST(Vocabulary, NamesAnotherTokenizerModel) {
  Metadata metadata = tiny_metadata();
  metadata.set("tokenizer.ggml.model", std::string("rwkv"));
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"tiny.gguf", "tokenizer.ggml.model", "rwkv"},
                         [&] { vocabulary_from_metadata(metadata); }));
}

TEST(Vocabulary, RefusesArraysThatAreMissingOrOfAnotherTypeOrLength) {
  for (const char* key : {"tokens", "scores", "token_type"}) {
    const std::string name = std::string("tokenizer.ggml.") + key;
    Metadata missing = tiny_metadata();
    missing.erase(name);
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"tiny.gguf", name, "missing"},
                           [&] { vocabulary_from_metadata(missing); }));
    Metadata other = tiny_metadata();
    other.set(name, MetadataArray{std::vector<uint8_t>{1, 2}});
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"tiny.gguf", name},
                           [&] { vocabulary_from_metadata(other); }));
  }
  Metadata shorter = tiny_metadata();
  shorter.set("tokenizer.ggml.scores", MetadataArray{std::vector<float>{0.0f}});
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"tiny.gguf", "261 tokens", "1 scores"},
                         [&] { vocabulary_from_metadata(shorter); }));
  Metadata empty = tiny_metadata();
  empty.set("tokenizer.ggml.tokens", MetadataArray{std::vector<std::string>{}});
  EXPECT_TRUE(
      fails_with(ErrorCode::kInvalidFile, {"tiny.gguf"}, [&] { vocabulary_from_metadata(empty); }));
}

TEST(Vocabulary, RefusesIdsOutsideOfIt) {
  for (const char* key : {"bos", "eos", "unknown", "padding"}) {
    Metadata metadata = tiny_metadata();
    metadata.set(std::string("tokenizer.ggml.") + key + "_token_id", uint32_t{261});
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"tiny.gguf", key, "261"},
                           [&] { vocabulary_from_metadata(metadata); }));
  }
}

TEST(Vocabulary, RefusesTokensThatBreakItsRules) {
  Vocabulary type = tiny_vocabulary({"a"});
  type.types[5] = static_cast<TokenType>(7);
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"x", "token 5", "7"},
                         [&] { check_vocabulary(type, "x"); }));
  Vocabulary score = tiny_vocabulary({"a"});
  score.scores[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"x", "token 5", "score"},
                         [&] { check_vocabulary(score, "x"); }));
  Vocabulary byte = tiny_vocabulary({"a"});
  byte.tokens[5] = "<0xG0>";
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"x", "token 5", "byte"},
                         [&] { check_vocabulary(byte, "x"); }));
  Vocabulary speechless = tiny_vocabulary({"a"}, false);
  speechless.unk.reset();
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"x", "0 of 256"},
                         [&] { check_vocabulary(speechless, "x"); }));
  Vocabulary nameless = tiny_vocabulary({"a"});
  nameless.bos.reset();
  EXPECT_TRUE(
      fails_with(ErrorCode::kInvalidFile, {"x", "bos"}, [&] { check_vocabulary(nameless, "x"); }));
}

TEST(Vocabulary, ReadsByteTokens) {
  EXPECT_EQ(byte_of_token("<0x0A>"), 10);
  EXPECT_EQ(byte_of_token("<0xFF>"), 255);
  for (const char* text : {"", "<0x0a>", "<0x0>", "<0xABC>", "<0xAG>", "a0x0A>", "<0x0A"}) {
    EXPECT_EQ(byte_of_token(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace nibble
