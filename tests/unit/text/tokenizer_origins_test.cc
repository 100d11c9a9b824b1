// One tokenizer, three origins (tokenizer.model, tokenizer.json, GGUF metadata): the ids that the
// libraries sentencepiece 0.2.3 and tokenizers 0.23.3 give for whole texts (tests/golden/text).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/input_file.h"
#include "base/json.h"
#include "file/gguf.h"
#include "text/hf_tokenizer.h"
#include "text/tokenizer.h"
#include "unit/text/text_files.h"

namespace nibble {
namespace {

struct GoldenIds {
  std::string tokenizer, text, first, sentencepiece, tokenizers;
  size_t count;
};

std::vector<GoldenIds> read_golden() {
  const std::string path = repository_path("tests/golden/text/ids.json");
  const Json json = parse_json(read_text_file(path), path);
  std::vector<GoldenIds> golden;
  for (const Json& row : json) {
    golden.push_back({row["tokenizer"], row["text"], row["first"].dump(), row["sentencepiece"],
                      row["tokenizers"], row["count"]});
  }
  return golden;
}

// "shared:x" stands for data that is not in the repository.
std::filesystem::path resolve(const std::string& name) {
  constexpr std::string_view kShared = "shared:";
  return name.starts_with(kShared) ? shared_path(name.substr(kShared.size()))
                                   : repository_path(name);
}

// FNV-1a, 64 bits, over the ids as little-endian 32-bit integers.
std::string hash_of(const std::vector<uint32_t>& ids) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint32_t id : ids) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ (id >> shift & 0xff)) * 0x100000001b3;
    }
  }
  return fmt::format("{:016x}", hash);
}

enum class Origin { kModel, kJson, kMetadata };

Tokenizer open_tokenizer(const std::filesystem::path& folder, Origin origin) {
  HfTokenizerFiles files;
  files.folder = folder;
  files.tokenizer_config = read_text_file(folder / "tokenizer_config.json");
  if (origin == Origin::kJson) {
    files.tokenizer_json = read_text_file(folder / "tokenizer.json");
  } else {
    files.tokenizer_model = read_text_file(folder / "tokenizer.model");
  }
  const uint64_t size = folder.filename() == "lab-7m" ? 4096 : 512;
  const Vocabulary vocabulary = vocabulary_from_hf(files, size);
  if (origin != Origin::kMetadata) return Tokenizer(vocabulary);
  Metadata metadata;
  add_vocabulary(vocabulary, metadata);
  return Tokenizer(vocabulary_from_metadata(metadata));
}

class TokenizerOrigins : public testing::TestWithParam<Origin> {};

TEST_P(TokenizerOrigins, GiveTheIdsOfThePeersAndDecodeToTheText) {
  size_t skipped = 0;
  for (const GoldenIds& golden : read_golden()) {
    SCOPED_TRACE(golden.tokenizer + " on " + golden.text);
    if (!exists(resolve(golden.tokenizer)) || !exists(resolve(golden.text))) {
      ++skipped;
      continue;
    }
    const Tokenizer tokenizer = open_tokenizer(resolve(golden.tokenizer), GetParam());
    const std::string text = read_text_file(resolve(golden.text));
    const auto ids = tokenizer.encode(text, {.add_special = false});
    ASSERT_EQ(ids.size(), golden.count);
    EXPECT_EQ(Json(std::vector(ids.begin(), ids.begin() + 16)).dump(),
              Json::parse(golden.first).dump());
    EXPECT_EQ(hash_of(ids), golden.sentencepiece);
    EXPECT_EQ(tokenizer.decode(ids), text);
    // tokenizers always parses special tokens (WikiText has "<unk>").
    const auto special = tokenizer.encode(text, {.add_special = false, .parse_special = true});
    EXPECT_EQ(hash_of(special), golden.tokenizers);
  }
  if (skipped > 0) GTEST_SKIP() << skipped << " texts are not here (NIBBLE_SHARED)";
}

std::string name_of(const testing::TestParamInfo<Origin>& info) {
  constexpr const char* kNames[] = {"Model", "Json", "Metadata"};
  return kNames[static_cast<size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerOrigins,
                         testing::Values(Origin::kModel, Origin::kJson, Origin::kMetadata),
                         name_of);

TEST(TokenizerOrigin, JsonAndModelGiveTheSameVocabulary) {
  const auto folder = repository_path("assets/lab-7m");
  const Tokenizer model = open_tokenizer(folder, Origin::kModel);
  const Tokenizer json = open_tokenizer(folder, Origin::kJson);
  EXPECT_EQ(model.vocabulary().tokens, json.vocabulary().tokens);
  EXPECT_EQ(model.vocabulary().types, json.vocabulary().types);
  EXPECT_EQ(model.vocabulary().scores, json.vocabulary().scores);
  EXPECT_EQ(model.vocabulary().bos, json.vocabulary().bos);
  EXPECT_EQ(model.vocabulary().eos, json.vocabulary().eos);
  EXPECT_EQ(model.vocabulary().unk, json.vocabulary().unk);
}

TEST(TokenizerOrigin, WritesTheVocabularyThatStockWroteForTheSameModel) {
  const auto path = shared_path("models/lab-7m-stock/Q8_0.gguf");
  if (!exists(path)) GTEST_SKIP() << path << " is not here (NIBBLE_SHARED)";
  const Vocabulary stock = vocabulary_from_metadata(GgufFile(path).metadata());
  const Vocabulary ours =
      open_tokenizer(repository_path("assets/lab-7m"), Origin::kModel).vocabulary();
  EXPECT_EQ(ours.tokens, stock.tokens);
  EXPECT_EQ(ours.scores, stock.scores);
  EXPECT_EQ(ours.types, stock.types);
  EXPECT_EQ(ours.bos, stock.bos);
  EXPECT_EQ(ours.eos, stock.eos);
  EXPECT_EQ(ours.unk, stock.unk);
  EXPECT_EQ(ours.add_bos, stock.add_bos);
  EXPECT_EQ(ours.add_eos, stock.add_eos);
}

}  // namespace
}  // namespace nibble
