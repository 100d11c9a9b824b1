#include "text/hf_tokenizer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/json.h"
#include "support/files.h"
#include "text/tokenizer.h"

namespace nibble {
namespace {

// --- tokenizer.json ------------------------------------------------------------------------------

// <unk> 0, <s> 1, </s> 2, U+2581 3, a 4, b 5, ab 6, U+2581a 7, U+2581ab 8.
Json tiny_json() {
  Json json = Json::parse(R"({
    "added_tokens": [{"id": 0, "content": "<unk>", "special": true},
                     {"id": 1, "content": "<s>", "special": true},
                     {"id": 2, "content": "</s>", "special": true}],
    "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "\u2581"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
    "pre_tokenizer": null,
    "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
        "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "\u2581": 3, "a": 4, "b": 5, "ab": 6,
                  "\u2581a": 7, "\u2581ab": 8},
        "merges": ["a b", "\u2581 a", "\u2581 ab", "\u2581a b"]}})");
  return json;
}

Vocabulary read(const Json& tokenizer, uint64_t size = 9) {
  HfTokenizerFiles files;
  files.folder = "tiny";
  files.tokenizer_json = tokenizer.dump();
  return vocabulary_from_hf(files, size);
}

TEST(TokenizerJson, OrdersScoresByTheRanksOfTheMerges) {
  const Vocabulary vocabulary = read(tiny_json());
  EXPECT_EQ(vocabulary.scores,
            (std::vector<float>{0, 0, 0, -3, -4, -5, 0, -1, -2}));  // ab, U+2581a, U+2581ab, rest
  EXPECT_EQ(vocabulary.types[0], TokenType::kUnknown);
  EXPECT_EQ(vocabulary.types[2], TokenType::kControl);
  EXPECT_EQ(vocabulary.types[8], TokenType::kNormal);
  EXPECT_EQ(vocabulary.bos, 1u);
  EXPECT_EQ(vocabulary.eos, 2u);
  EXPECT_TRUE(vocabulary.add_bos);
  EXPECT_TRUE(vocabulary.add_space_prefix);
  EXPECT_EQ(Tokenizer(vocabulary).encode("ab a"), (std::vector<uint32_t>{1, 8, 7}));
}

TEST(TokenizerJson, ReadsMergesWrittenAsPairs) {
  Json json = tiny_json();
  json["model"]["merges"] =
      Json::parse(R"([["a","b"],["\u2581","a"],["\u2581","ab"],["\u2581a","b"]])");
  EXPECT_EQ(read(json).scores, read(tiny_json()).scores);
}

TEST(TokenizerJson, ReadsMetaspace) {
  Json json = tiny_json();
  json["normalizer"] = nullptr;
  json["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"split", false}};
  for (const auto& [scheme, prefix] :
       {std::pair{"first", true}, {"always", true}, {"never", false}}) {
    json["pre_tokenizer"]["prepend_scheme"] = scheme;
    EXPECT_EQ(read(json).add_space_prefix, prefix) << scheme;
  }
}

TEST(TokenizerJson, ReadsANormalizerWithoutPrefix) {
  Json json = tiny_json();
  json["normalizer"] = json["normalizer"]["normalizers"][1];
  EXPECT_FALSE(read(json).add_space_prefix);
}

TEST(TokenizerJson, PlacesAddedTokensBehindTheVocabulary) {
  Json json = tiny_json();
  json["added_tokens"].push_back({{"id", 9}, {"content", "<x>"}, {"special", false}});
  json["added_tokens"].push_back({{"id", 10}, {"content", "<y>"}, {"special", true}});
  const Vocabulary vocabulary = read(json, 12);
  EXPECT_EQ(vocabulary.tokens[9], "<x>");
  EXPECT_EQ(vocabulary.types[9], TokenType::kUserDefined);
  EXPECT_EQ(vocabulary.types[10], TokenType::kControl);
  EXPECT_EQ(vocabulary.tokens[11], "[PAD11]");
  EXPECT_EQ(vocabulary.types[11], TokenType::kUnused);
}

TEST(TokenizerJson, NamesWhatItDoesNotSupport) {
  struct Case {
    const char* patch;  // JSON merge patch
    std::string found;
  };
  const Case cases[] = {
      {R"({"model": {"type": "WordLevel"}})", "WordLevel"},
      {R"({"model": {"dropout": 0.1}})", "dropout"},
      {R"({"normalizer": {"type": "Precompiledd"}})", "Precompiledd"},
      {R"({"normalizer": null, "pre_tokenizer": {"type": "UnicodeScripts"}})", "UnicodeScripts"},
      {R"({"pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "Odd"}})",
       "Odd"},
      {R"({"normalizer": null, "post_processor": {"type": "Odd"}})", "Odd"},
  };
  for (const Case& c : cases) {
    Json json = tiny_json();
    json.merge_patch(Json::parse(c.patch));
    SCOPED_TRACE(c.patch);
    EXPECT_TRUE(
        fails_with(ErrorCode::kUnsupported, {"tiny/tokenizer.json", c.found}, [&] { read(json); }));
  }
}

TEST(TokenizerJson, RefusesWhatBreaksItsFormat) {
  struct Case {
    const char* patch;
    std::string found;
  };
  const Case cases[] = {
      {R"({"model": null})", "model"},
      {R"({"model": {"vocab": null}})", "vocab"},
      {R"({"model": {"vocab": ["a"]}})", "vocab"},
      {R"({"model": {"vocab": {"b": -5}}})", "\"b\""},
      {R"({"model": {"vocab": {"b": "5"}}})", "\"b\""},
      {R"({"model": {"vocab": {"b": 10}}})", "no gap"},
      {R"({"model": {"vocab": {"b": 18446744073709551615}}})", "no gap"},
      {R"({"model": {"vocab": {"b": 4}}})", "stands for both"},
      {R"({"model": {"vocab": {"": 9}}})", "expected a token's id"},
      {R"({"model": {"merges": null}})", "merges"},
      {R"({"model": {"merges": {}}})", "merges"},
      {R"({"model": {"merges": ["a"]}})", "\"a\""},
      {R"({"model": {"merges": ["a b c"]}})", "a b c"},
      {R"({"model": {"merges": [["a"]]}})", "[\\\"a\\\"]"},
      {R"({"model": {"merges": ["b a"]}})", "b a"},
      {R"({"model": {"unk_token": "<what>"}})", "<what>"},
      {R"({"added_tokens": {}})", "added_tokens"},
      {R"({"added_tokens": [{"content": "<s>"}]})", "id"},
      {R"({"added_tokens": [{"id": 2, "content": "<s>"}]})", "<s>"},
      {R"({"added_tokens": [{"id": 100, "content": "<new>"}]})", "100"},
      {R"({"added_tokens": [{"id": 9, "content": ""}]})", "no text"},
  };
  for (const Case& c : cases) {
    Json json = tiny_json();
    json.merge_patch(Json::parse(c.patch));
    SCOPED_TRACE(c.patch);
    std::string found = c.found;
    std::erase(found, '\\');
    EXPECT_TRUE(
        fails_with(ErrorCode::kInvalidFile, {"tiny/tokenizer.json", found}, [&] { read(json); }));
  }
}

TEST(TokenizerJson, RefusesTextThatIsNoJson) {
  HfTokenizerFiles files;
  files.folder = "tiny";
  for (const char* text : {"", "{", "\xff", "{\"model\": \"\xff\"}", "[]", "1"}) {
    files.tokenizer_json = text;
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"tiny/tokenizer.json"},
                           [&] { vocabulary_from_hf(files, 9); }));
  }
}

// --- tokenizer.model -----------------------------------------------------------------------------

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes += static_cast<char>(value);
}

std::string number_field(int field, uint64_t value) { return varint(field << 3) + varint(value); }

std::string bytes_field(int field, const std::string& bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}

std::string piece(const std::string& text, float score, TokenType type = TokenType::kNormal) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &score, 4);
  return bytes_field(1, bytes_field(1, text) + varint(2 << 3 | 5) + bytes +
                            number_field(3, static_cast<uint64_t>(type)));
}

const std::string kPieces = piece("<unk>", 0, TokenType::kUnknown) +
                            piece("<s>", 0, TokenType::kControl) +
                            piece("</s>", 0, TokenType::kControl) + piece("\u2581", -1) +
                            piece("a", -2) + piece("b", -3) + piece("ab", -0.5f);
const std::string kBpe = bytes_field(2, number_field(3, 2));

Vocabulary read_model(const std::string& bytes, uint64_t size = 7) {
  HfTokenizerFiles files;
  files.folder = "tiny";
  files.tokenizer_model = bytes;
  return vocabulary_from_hf(files, size);
}

TEST(SentencePieceModel, GivesPiecesScoresTypesAndIds) {
  const Vocabulary vocabulary = read_model(kPieces + kBpe);
  EXPECT_EQ(vocabulary.tokens,
            (std::vector<std::string>{"<unk>", "<s>", "</s>", "\u2581", "a", "b", "ab"}));
  EXPECT_EQ(vocabulary.scores, (std::vector<float>{0, 0, 0, -1, -2, -3, -0.5}));
  EXPECT_EQ(vocabulary.types[1], TokenType::kControl);
  EXPECT_EQ(vocabulary.unk, 0u);
  EXPECT_EQ(vocabulary.bos, 1u);
  EXPECT_EQ(vocabulary.eos, 2u);
  EXPECT_EQ(vocabulary.pad, std::nullopt);
  EXPECT_TRUE(vocabulary.add_space_prefix);
  EXPECT_EQ(Tokenizer(vocabulary).encode("ab"), (std::vector<uint32_t>{1, 3, 6}));
}

TEST(SentencePieceModel, TakesIdsAndPrefixFromItsSpecs) {
  const std::string trainer =
      bytes_field(2, number_field(3, 2) + number_field(41, ~uint64_t{0}) + number_field(43, 4));
  const Vocabulary vocabulary = read_model(kPieces + trainer + bytes_field(3, number_field(3, 0)));
  EXPECT_EQ(vocabulary.bos, std::nullopt);
  EXPECT_FALSE(vocabulary.add_bos);
  EXPECT_EQ(vocabulary.pad, 4u);
  EXPECT_FALSE(vocabulary.add_space_prefix);
}

TEST(SentencePieceModel, NamesAnotherModelType) {
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"tiny/tokenizer.model", "unigram"},
                         [] { read_model(kPieces); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"tiny/tokenizer.model", "character"},
                         [] { read_model(kPieces + bytes_field(2, number_field(3, 4))); }));
}

TEST(SentencePieceModel, RefusesEveryPrefixOfItself) {
  const std::string whole = kPieces + kBpe;
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(read_model(whole.substr(0, size)), Error) << size;
  }
}

TEST(SentencePieceModel, RefusesWhatBreaksItsFormat) {
  const auto refuses = [](const std::string& bytes, const std::string& words) {
    EXPECT_TRUE(
        fails_with(ErrorCode::kInvalidFile, {"tiny", words}, [&] { read_model(bytes, 8); }));
  };
  refuses(std::string(11, '\xff'), "ten bytes");
  refuses("\x0b", "wire type 3");
  refuses(number_field(1, 5), "wire type 0, expected 2");
  refuses(varint(1 << 3 | 2) + varint(~uint64_t{0}), "are left");
  refuses(bytes_field(1, number_field(1, 3)), "expected 2");
  refuses(bytes_field(1, bytes_field(1, "")), "no text");
  refuses(piece("\xff", 0), "UTF-8");
  refuses(kPieces + kBpe + bytes_field(2, number_field(3, 2) + number_field(42, 99)), "99");
  refuses(kPieces + kBpe + piece("x", 0, static_cast<TokenType>(9)), "type 9");
}

// --- The seeds of the fuzz targets, of which a fixed finding becomes one
// ----------------------------

TEST(HfTokenizer, ReadsOrRefusesEveryFuzzSeed) {
  size_t read = 0;
  size_t refused = 0;
  const auto count = [&](const HfTokenizerFiles& files, const std::string& text) {
    try {
      Tokenizer(vocabulary_from_hf(files, 300)).encode(text);
      ++read;
    } catch (const Error&) {
      ++refused;
    }
  };
  HfTokenizerFiles json, model;
  json.folder = model.folder = "fuzz";
  for (const auto& path : fuzz_seeds("tokenizer_json")) {
    json.tokenizer_json = read_file(path);
    count(json, *json.tokenizer_json);
  }
  for (const auto& path : fuzz_seeds("tokenizer_model")) {
    model.tokenizer_model = read_file(path);
    count(model, *model.tokenizer_model);
  }
  EXPECT_GE(read, 6u);
  EXPECT_GE(refused, 2u);
}

// --- The other files -----------------------------------------------------------------------------

HfTokenizerFiles tiny_files() {
  HfTokenizerFiles files;
  files.folder = "tiny";
  files.tokenizer_json = tiny_json().dump();
  return files;
}

TEST(HfTokenizer, FollowsTokenizerConfig) {
  HfTokenizerFiles files = tiny_files();
  files.special_tokens_map = R"({"bos_token": "a", "eos_token": "a"})";
  files.tokenizer_config = R"({"bos_token": {"content": "</s>"}, "pad_token": "<s>",
      "add_bos_token": false, "add_eos_token": true, "add_prefix_space": false,
      "chat_template": [{"name": "rag", "template": "1"}, {"name": "default", "template": "2"}]})";
  const Vocabulary vocabulary = vocabulary_from_hf(files, 9);
  EXPECT_EQ(vocabulary.bos, 2u);
  EXPECT_EQ(vocabulary.eos, 4u);
  EXPECT_EQ(vocabulary.pad, 1u);
  EXPECT_FALSE(vocabulary.add_bos);
  EXPECT_TRUE(vocabulary.add_eos);
  EXPECT_FALSE(vocabulary.add_space_prefix);
  EXPECT_EQ(vocabulary.chat_template, "2");
}

TEST(HfTokenizer, PrefersTheTemplateInItsOwnFile) {
  HfTokenizerFiles files = tiny_files();
  files.tokenizer_config = R"({"chat_template": "1"})";
  EXPECT_EQ(vocabulary_from_hf(files, 9).chat_template, "1");
  files.chat_template = "2";
  EXPECT_EQ(vocabulary_from_hf(files, 9).chat_template, "2");
}

TEST(HfTokenizer, AddsTokens) {
  HfTokenizerFiles files;
  files.folder = "tiny";
  files.tokenizer_model = kPieces + kBpe;
  files.added_tokens = R"({"<y>": 8, "<x>": 7})";
  files.tokenizer_config = R"({"added_tokens_decoder": {"0": {"content": "<unk>", "special": true},
      "5": {"content": "<b>", "special": true}, "8": {"content": "\u2581y", "special": false}}})";
  const Vocabulary vocabulary = vocabulary_from_hf(files, 9);
  EXPECT_EQ(vocabulary.types[0], TokenType::kUnknown);
  EXPECT_EQ(vocabulary.tokens[5], "<b>");
  EXPECT_EQ(vocabulary.types[5], TokenType::kControl);
  EXPECT_EQ(vocabulary.tokens[7], "<x>");
  EXPECT_EQ(vocabulary.types[7], TokenType::kUserDefined);
  EXPECT_EQ(vocabulary.tokens[8], " y");
}

TEST(HfTokenizer, RefusesFilesThatContradictEachOther) {
  const auto refuses = [](auto&& change, const std::vector<std::string>& words) {
    HfTokenizerFiles files = tiny_files();
    change(files);
    EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, words, [&] { vocabulary_from_hf(files, 12); }));
  };
  using Files = HfTokenizerFiles;
  refuses([](Files& f) { f.tokenizer_config = R"({"bos_token": "<who>"})"; },
          {"tiny/tokenizer_config.json", "bos_token", "<who>"});
  refuses([](Files& f) { f.tokenizer_config = R"({"eos_token": 5})"; },
          {"tiny/tokenizer_config.json", "eos_token"});
  refuses([](Files& f) { f.tokenizer_config = R"({"chat_template": 5})"; },
          {"tiny/tokenizer_config.json", "chat_template"});
  refuses([](Files& f) { f.tokenizer_config = R"({"added_tokens_decoder": {"x": {}}})"; },
          {"added_tokens_decoder", "\"x\""});
  refuses([](Files& f) { f.added_tokens = R"({"<x>": 10})"; },
          {"tiny", "<x>", "token 9 is missing"});
  refuses([](Files& f) { f.added_tokens = R"({"<x>": 99999999999})"; }, {"tiny/added_tokens.json"});
  refuses([](Files& f) { f.added_tokens = "[]"; }, {"tiny/added_tokens.json"});
}

TEST(HfTokenizer, ComparesItsSizeWithTheModels) {
  EXPECT_EQ(read(tiny_json(), 9).size(), 9u);
  EXPECT_EQ(read(tiny_json(), 20).size(), 20u);
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"tiny", "9 tokens", "8 rows"},
                         [] { read(tiny_json(), 8); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"tiny"}, [] { read(tiny_json(), 0); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kInvalidFile, {"tiny"}, [] { read(tiny_json(), uint64_t{1} << 40); }));
}

TEST(HfTokenizer, NamesTheFilesThatItMisses) {
  HfTokenizerFiles files;
  files.folder = "empty";
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, {"empty", "tokenizer.model", "tokenizer.json"},
                         [&] { vocabulary_from_hf(files, 9); }));
}

}  // namespace
}  // namespace nibble
