// Every kind of tokenizer, from tokenizer.json and from GGUF metadata: the ids that the library
// tokenizers gives for mixed texts (tests/golden/text/make_tokenizers.py).
#include <gtest/gtest.h>

#include "base/json.h"
#include "support/files.h"
#include "text/definition.h"
#include "text/hf_tokenizer.h"
#include "text/tokenizer.h"

namespace nibble {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(NIBBLE_SOURCE_DIR) / "tests/golden/text/tokenizers";

Vocabulary read_vocabulary(const std::string& name) {
  HfTokenizerFiles files;
  files.folder = kFolder.string();
  files.tokenizer_json = read_file(kFolder / (name + ".json"));
  return vocabulary_from_hf(files, std::nullopt);
}

Vocabulary through_metadata(const Vocabulary& vocabulary) {
  Metadata metadata;
  add_vocabulary(vocabulary, metadata);
  return vocabulary_from_metadata(metadata);
}

const Json& golden() {
  static const Json json = parse_json(read_file(kFolder / "ids.json"), "ids.json");
  return json;
}

class TokenizerKinds : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerKinds, GiveThePeersIdsFromTheirJsonAndFromMetadataAlone) {
  const Vocabulary vocabulary = read_vocabulary(GetParam());
  const Tokenizer json(vocabulary);
  const Tokenizer metadata(through_metadata(vocabulary));
  const Json& texts = golden()["texts"];
  const Json& expected = golden()[GetParam()];
  ASSERT_EQ(texts.size(), expected.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto text = texts[i].get<std::string>();
    const auto ids = expected[i].get<std::vector<uint32_t>>();
    EXPECT_EQ(json.encode(text, {.parse_special = true}), ids) << text;
    EXPECT_EQ(metadata.encode(text, {.parse_special = true}), ids) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerKinds,
                         testing::Values("gpt2", "gpt4o", "falcon", "clip", "behaviors", "words",
                                         "bert", "unigram"),
                         [](const auto& test) { return std::string(test.param); });

TEST(TokenizerKind, ByteLevelDecodesToTheTextWhateverItsBytes) {
  const Tokenizer tokenizer(read_vocabulary("gpt2"));
  for (const Json& text : golden()["texts"]) {
    const auto ids = tokenizer.encode(text.get<std::string>());
    EXPECT_EQ(tokenizer.decode(ids), text.get<std::string>());
  }
  const std::string bytes = "a\xff\xfe z \xc3(\xe6\xbc end\xf0\x9f";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(bytes)), bytes);
}

TEST(TokenizerKind, TheNameOfAPreTokenizerIsFoundByWhatItDoes) {
  EXPECT_EQ(read_vocabulary("gpt2").pre, "gpt-2");
  EXPECT_EQ(read_vocabulary("gpt4o").pre, "gpt-4o");
  EXPECT_EQ(read_vocabulary("behaviors").pre, "default");  // llama.cpp has none
}

TEST(PreTokenizerNames, AreMissedOnlyWhereNoneIsTheSame) {
  const auto is_missed = [](const char* name, const char* pre) {
    Metadata metadata;
    add_vocabulary(read_vocabulary(name), metadata);
    if (pre != nullptr) metadata.set("tokenizer.ggml.pre", std::string(pre));
    return has_unnamed_pre_tokenizer(metadata);
  };
  EXPECT_TRUE(is_missed("behaviors", nullptr));
  EXPECT_FALSE(is_missed("behaviors", "gpt-2"));  // somebody chose it
  EXPECT_FALSE(is_missed("gpt2", nullptr));
  EXPECT_TRUE(is_missed("gpt2", "default"));
}

TEST(TokenizerKind, ControlTokensInATextAreTextUnlessAskedFor) {
  const Tokenizer tokenizer(read_vocabulary("gpt2"));
  EXPECT_EQ(tokenizer.encode("<|im_end|>", {.parse_special = true}).size(), 1u);
  EXPECT_GT(tokenizer.encode("<|im_end|>").size(), 1u);
}

TEST(TokenizerKind, AHostilePatternIsGivenUp) {
  Json json = parse_json(read_file(kFolder / "gpt2.json"), "gpt2.json");
  json["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"Regex", "(a+)+$"}}}, {"behavior", "Isolated"}},
        {{"type", "ByteLevel"}, {"use_regex", false}}}}};
  HfTokenizerFiles files;
  files.tokenizer_json = json.dump();
  const Tokenizer tokenizer(vocabulary_from_hf(files, std::nullopt));
  try {
    tokenizer.encode(std::string(200, 'a') + "!");
    FAIL() << "the pattern ran to its end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidFile);
    EXPECT_NE(std::string(error.what()).find("gives up"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace nibble
