#include "text/vocabulary.h"

#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace nibble {
namespace {

using OptionalId = std::optional<uint32_t> Vocabulary::*;

struct SpecialToken {
  const char* key;
  OptionalId id;
  std::optional<uint32_t> standard;  // taken when the key is absent
};

constexpr std::array<SpecialToken, 4> kSpecialTokens = {{
    {"tokenizer.ggml.bos_token_id", &Vocabulary::bos, 1},
    {"tokenizer.ggml.eos_token_id", &Vocabulary::eos, 2},
    {"tokenizer.ggml.unknown_token_id", &Vocabulary::unk, 0},
    {"tokenizer.ggml.padding_token_id", &Vocabulary::pad, std::nullopt},
}};

template <class T>
const std::vector<T>& require_array(const Metadata& metadata, const char* key) {
  if (const auto* items = metadata.find_array<T>(key)) return *items;
  fail(ErrorCode::kInvalidFile, "{}: {} is missing; convert the model again from its original",
       metadata.origin(), key);
}

void read_special_ids(const Metadata& metadata, Vocabulary& vocabulary) {
  for (const SpecialToken& special : kSpecialTokens) {
    const auto found = metadata.find_uint(special.key);
    if (found && *found >= vocabulary.size()) {
      fail(ErrorCode::kInvalidFile, "{}: {}: found {}, expected an id below the vocabulary's {}",
           metadata.origin(), special.key, *found, vocabulary.size());
    }
    if (found) {
      vocabulary.*special.id = static_cast<uint32_t>(*found);
    } else if (special.standard && *special.standard < vocabulary.size()) {
      vocabulary.*special.id = special.standard;
    }
  }
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  result.reserve(text.size());
  for (size_t place; (place = text.find(from)) != text.npos;
       text.remove_prefix(place + from.size())) {
    result.append(text.substr(0, place)).append(to);
  }
  return result.append(text);
}

void check_id(std::optional<uint32_t> id, const char* what, size_t size, std::string_view origin) {
  if (id && *id >= size) {
    fail(ErrorCode::kInvalidFile, "{}: the {} token has id {}, but there are only {} tokens",
         origin, what, *id, size);
  }
}

// One token alone; returns the byte that it spells.
std::optional<uint8_t> check_token(const Vocabulary& vocabulary, size_t id,
                                   std::string_view origin) {
  const auto type = static_cast<int32_t>(vocabulary.types[id]);
  if (type < 1 || type > 6) {
    fail(ErrorCode::kInvalidFile, "{}: token {}: found type {}, expected 1 to 6", origin, id, type);
  }
  if (!std::isfinite(vocabulary.scores[id])) {
    fail(ErrorCode::kInvalidFile, "{}: token {}: the score is not a finite number", origin, id);
  }
  if (vocabulary.types[id] != TokenType::kByte) return std::nullopt;
  const auto byte = byte_of_token(vocabulary.tokens[id]);
  if (!byte) {
    fail(ErrorCode::kInvalidFile, "{}: token {}: a byte token must read <0x00> to <0xFF>", origin,
         id);
  }
  return byte;
}

}  // namespace

std::string mark_spaces(std::string_view text) { return replace_all(text, " ", kSpaceMark); }

std::string unmark_spaces(std::string_view token) { return replace_all(token, kSpaceMark, " "); }

std::optional<uint8_t> byte_of_token(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text.back() != '>') return std::nullopt;
  int value = 0;
  for (const char digit : text.substr(3, 2)) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const size_t place = kDigits.find(digit);
    if (place == kDigits.npos) return std::nullopt;
    value = value * 16 + static_cast<int>(place);
  }
  return static_cast<uint8_t>(value);
}

Vocabulary vocabulary_from_metadata(const Metadata& metadata) {
  Vocabulary vocabulary;
  vocabulary.model = metadata.require_string("tokenizer.ggml.model");
  if (vocabulary.model != "llama") {
    fail(ErrorCode::kUnsupported,
         "{}: tokenizer.ggml.model is \"{}\"; this version runs \"llama\" (SentencePiece BPE)",
         metadata.origin(), vocabulary.model);
  }
  vocabulary.pre = metadata.find_string("tokenizer.ggml.pre").value_or("default");
  vocabulary.tokens = require_array<std::string>(metadata, "tokenizer.ggml.tokens");
  vocabulary.scores = require_array<float>(metadata, "tokenizer.ggml.scores");
  for (const int32_t type : require_array<int32_t>(metadata, "tokenizer.ggml.token_type")) {
    vocabulary.types.push_back(static_cast<TokenType>(type));
  }
  read_special_ids(metadata, vocabulary);
  vocabulary.add_bos = metadata.find_bool("tokenizer.ggml.add_bos_token").value_or(true);
  vocabulary.add_eos = metadata.find_bool("tokenizer.ggml.add_eos_token").value_or(false);
  vocabulary.add_space_prefix =
      metadata.find_bool("tokenizer.ggml.add_space_prefix").value_or(true);
  vocabulary.chat_template = metadata.find_string("tokenizer.chat_template").value_or("");
  check_vocabulary(vocabulary, metadata.origin());
  return vocabulary;
}

void add_vocabulary(const Vocabulary& vocabulary, Metadata& metadata) {
  std::vector<int32_t> types;
  types.reserve(vocabulary.size());
  for (const TokenType type : vocabulary.types) types.push_back(static_cast<int32_t>(type));
  metadata.set("tokenizer.ggml.model", vocabulary.model);
  metadata.set("tokenizer.ggml.pre", vocabulary.pre);
  metadata.set("tokenizer.ggml.tokens", MetadataArray{vocabulary.tokens});
  metadata.set("tokenizer.ggml.scores", MetadataArray{vocabulary.scores});
  metadata.set("tokenizer.ggml.token_type", MetadataArray{std::move(types)});
  for (const SpecialToken& special : kSpecialTokens) {
    if (const auto id = vocabulary.*special.id) metadata.set(special.key, *id);
  }
  metadata.set("tokenizer.ggml.add_bos_token", vocabulary.add_bos);
  metadata.set("tokenizer.ggml.add_eos_token", vocabulary.add_eos);
  if (!vocabulary.add_space_prefix) metadata.set("tokenizer.ggml.add_space_prefix", false);
  if (!vocabulary.chat_template.empty()) {
    metadata.set("tokenizer.chat_template", vocabulary.chat_template);
  }
}

void check_vocabulary(const Vocabulary& vocabulary, std::string_view origin) {
  const size_t size = vocabulary.size();
  if (size == 0 || size > kMaxVocabularySize) {
    fail(ErrorCode::kInvalidFile, "{}: the vocabulary has {} tokens, expected 1 to {}", origin,
         size, kMaxVocabularySize);
  }
  if (vocabulary.scores.size() != size || vocabulary.types.size() != size) {
    fail(ErrorCode::kInvalidFile,
         "{}: found {} tokens, {} scores and {} token types, expected one "
         "score and one type for each token",
         origin, size, vocabulary.scores.size(), vocabulary.types.size());
  }
  check_id(vocabulary.bos, "bos", size, origin);
  check_id(vocabulary.eos, "eos", size, origin);
  check_id(vocabulary.unk, "unknown", size, origin);
  check_id(vocabulary.pad, "padding", size, origin);
  std::array<bool, 256> spelled{};
  size_t bytes = 0;
  for (size_t id = 0; id < size; ++id) {
    const auto byte = check_token(vocabulary, id, origin);
    if (byte && !std::exchange(spelled[*byte], true)) ++bytes;
  }
  if (!vocabulary.unk && bytes < spelled.size()) {
    fail(ErrorCode::kInvalidFile,
         "{}: found {} of 256 byte tokens and no unknown token: there is "
         "no way to spell every text",
         origin, bytes);
  }
  if ((vocabulary.add_bos && !vocabulary.bos) || (vocabulary.add_eos && !vocabulary.eos)) {
    fail(ErrorCode::kInvalidFile, "{}: a {} token is to be added to texts, but none is named",
         origin, vocabulary.bos ? "eos" : "bos");
  }
}

}  // namespace nibble
