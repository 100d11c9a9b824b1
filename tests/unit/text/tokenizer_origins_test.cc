// One tokenizer, three origins (tokenizer.model, tokenizer.json, GGUF metadata): the ids that the
// libraries sentencepiece 0.2.3 and tokenizers 0.23.3 give for whole texts (tests/golden/text).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "file/gguf.h"
#include "support/files.h"
#include "text/hf_tokenizer.h"
#include "text/tokenizer.h"

namespace nibble {
namespace {

std::filesystem::path repository_path(std::string_view name) {
  return std::filesystem::path(NIBBLE_SOURCE_DIR) / name;
}

struct GoldenIds {
  std::string tokenizer, text, first, sentencepiece, tokenizers;
  size_t count;
};

std::vector<GoldenIds> read_golden() {
  const auto path = repository_path("tests/golden/text/ids.json");
  const Json json = parse_json(read_file(path), path.string());
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
  files.tokenizer_config = read_file(folder / "tokenizer_config.json");
  if (origin == Origin::kJson) {
    files.tokenizer_json = read_file(folder / "tokenizer.json");
  } else {
    files.tokenizer_model = read_file(folder / "tokenizer.model");
  }
  const uint64_t size = folder.filename() == "lab-7m" ? 4096 : 512;
  const Vocabulary vocabulary = vocabulary_from_hf(files, size);
  if (origin != Origin::kMetadata) return Tokenizer(vocabulary);
  Metadata metadata;
  add_vocabulary(vocabulary, metadata);
  return Tokenizer(vocabulary_from_metadata(metadata));
}

bool is_shared(const GoldenIds& golden) {
  return (golden.tokenizer + golden.text).find("shared:") != std::string::npos;
}

void expect_golden_ids(const GoldenIds& golden, Origin origin) {
  SCOPED_TRACE(golden.tokenizer + " on " + golden.text);
  const Tokenizer tokenizer = open_tokenizer(resolve(golden.tokenizer), origin);
  const std::string text = read_file(resolve(golden.text));
  const auto ids = tokenizer.encode(text, {.add_special = false});
  ASSERT_EQ(ids.size(), golden.count);
  EXPECT_EQ(Json(std::vector(ids.begin(), ids.begin() + 16)).dump(), golden.first);
  EXPECT_EQ(hash_of(ids), golden.sentencepiece);
  EXPECT_EQ(tokenizer.decode(ids), text);
  // tokenizers always parses special tokens (WikiText has "<unk>").
  const auto special = tokenizer.encode(text, {.add_special = false, .parse_special = true});
  EXPECT_EQ(hash_of(special), golden.tokenizers);
}

class TokenizerOrigins : public testing::TestWithParam<Origin> {};

TEST_P(TokenizerOrigins, GiveTheIdsOfThePeersForTheBundledTexts) {
  size_t compared = 0;
  for (const GoldenIds& golden : read_golden()) {
    if (is_shared(golden)) continue;
    expect_golden_ids(golden, GetParam());
    ++compared;
  }
  EXPECT_EQ(compared, 2u);
}

TEST_P(TokenizerOrigins, GiveTheIdsOfThePeersForTextsOfOthers) {
  NIBBLE_REQUIRE_SHARED(shared_path("text"));
  for (const GoldenIds& golden : read_golden()) {
    if (is_shared(golden)) expect_golden_ids(golden, GetParam());
  }
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
  NIBBLE_REQUIRE_SHARED(path);
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
