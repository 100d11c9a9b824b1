#include "text/vocabulary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "text/definition.h"
#include "text/exact_scores.h"
#include "text/pre_names.h"

namespace nibble {
namespace {

using OptionalId = std::optional<uint32_t> Vocabulary::*;

struct SpecialToken {
  const char* key;
  OptionalId id;
};

constexpr std::array<SpecialToken, 8> kSpecialTokens = {{
    {"tokenizer.ggml.bos_token_id", &Vocabulary::bos},
    {"tokenizer.ggml.eos_token_id", &Vocabulary::eos},
    {"tokenizer.ggml.unknown_token_id", &Vocabulary::unk},
    {"tokenizer.ggml.padding_token_id", &Vocabulary::pad},
    {"tokenizer.ggml.seperator_token_id", &Vocabulary::sep},  // spelled so
    {"tokenizer.ggml.cls_token_id", &Vocabulary::cls},
    {"tokenizer.ggml.mask_token_id", &Vocabulary::mask},
    {"tokenizer.ggml.eot_token_id", &Vocabulary::eot},
}};

// What llama.cpp takes where a file does not say (src/llama-vocab.cpp).
struct ModelDefaults {
  std::string_view model;
  std::optional<uint32_t> bos, eos, unk, pad, sep, cls, mask;
  bool add_bos, add_eos, add_space_prefix;
};

constexpr ModelDefaults kDefaults[] = {
    {"llama", 1, 2, 0, {}, {}, {}, {}, true, false, true},
    {"gpt2", 11, 11, {}, {}, {}, {}, {}, false, false, false},
    {"t5", {}, 1, 2, 0, {}, {}, {}, false, true, true},
    {"bert", {}, {}, 100, 0, 102, 101, 103, true, true, false},
};

const ModelDefaults& defaults_of(std::string_view model, std::string_view origin) {
  for (const ModelDefaults& defaults : kDefaults) {
    if (defaults.model == model) return defaults;
  }
  fail(ErrorCode::kUnsupported,
       "{}: tokenizer.ggml.model is \"{}\"; this version runs \"llama\" (SentencePiece BPE), "
       "\"gpt2\" (byte-level BPE), \"t5\" (unigram) and \"bert\" (WordPiece)",
       origin, model);
}

void set_default_ids(const ModelDefaults& defaults, Vocabulary& vocabulary) {
  vocabulary.bos = defaults.bos;
  vocabulary.eos = defaults.eos;
  vocabulary.unk = defaults.unk;
  vocabulary.pad = defaults.pad;
  vocabulary.sep = defaults.sep;
  vocabulary.cls = defaults.cls;
  vocabulary.mask = defaults.mask;
  for (const SpecialToken& special : kSpecialTokens) {
    auto& id = vocabulary.*special.id;
    if (id && *id >= vocabulary.size()) id.reset();
  }
}

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
    if (found) vocabulary.*special.id = static_cast<uint32_t>(*found);
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

void check_id(std::optional<uint32_t> id, const char* key, size_t size, std::string_view origin) {
  if (id && *id >= size) {
    fail(ErrorCode::kInvalidFile, "{}: {} is {}, but there are only {} tokens", origin, key, *id,
         size);
  }
}

bool needs_scores(std::string_view model) { return model == "llama" || model == "t5"; }

// Vocabularies of others may lack them: then every token is a normal one.
void read_types(const Metadata& metadata, Vocabulary& vocabulary) {
  const bool may_lack =
      !needs_scores(vocabulary.model) && !metadata.contains("tokenizer.ggml.token_type");
  if (may_lack) {
    vocabulary.types.assign(vocabulary.size(), TokenType::kNormal);
    return;
  }
  for (const int32_t type : require_array<int32_t>(metadata, "tokenizer.ggml.token_type")) {
    vocabulary.types.push_back(static_cast<TokenType>(type));
  }
}

// One token alone; returns the byte that it spells.
std::optional<uint8_t> check_token(const Vocabulary& vocabulary, size_t id,
                                   std::string_view origin) {
  const auto type = static_cast<int32_t>(vocabulary.types[id]);
  if (type < 1 || type > 6) {
    fail(ErrorCode::kInvalidFile, "{}: token {}: found type {}, expected 1 to 6", origin, id, type);
  }
  if (!vocabulary.scores.empty() && !std::isfinite(vocabulary.scores[id])) {
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
  const ModelDefaults& defaults = defaults_of(vocabulary.model, metadata.origin());
  vocabulary.pre = metadata.find_string("tokenizer.ggml.pre").value_or("default");
  vocabulary.tokens = require_array<std::string>(metadata, "tokenizer.ggml.tokens");
  if (needs_scores(vocabulary.model)) {
    vocabulary.scores = require_array<float>(metadata, "tokenizer.ggml.scores");
  }
  if (const auto* scores = metadata.find_array<double>(kExactScoresKey))
    vocabulary.exact_scores = *scores;
  read_types(metadata, vocabulary);
  if (const auto* merges = metadata.find_array<std::string>("tokenizer.ggml.merges"))
    vocabulary.merges = *merges;
  set_default_ids(defaults, vocabulary);
  read_special_ids(metadata, vocabulary);
  const PreRow* row = vocabulary.model == "gpt2" ? find_pre_row(vocabulary.pre) : nullptr;
  vocabulary.add_bos = metadata.find_bool("tokenizer.ggml.add_bos_token")
                           .value_or(row != nullptr ? row->add_bos : defaults.add_bos);
  vocabulary.add_eos =
      metadata.find_bool("tokenizer.ggml.add_eos_token").value_or(defaults.add_eos);
  vocabulary.add_space_prefix =
      metadata.find_bool("tokenizer.ggml.add_space_prefix").value_or(defaults.add_space_prefix);
  vocabulary.chat_template = metadata.find_string("tokenizer.chat_template").value_or("");
  vocabulary.definition = metadata.find_string(kDefinitionKey).value_or("");
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
  if (!vocabulary.scores.empty())
    metadata.set("tokenizer.ggml.scores", MetadataArray{vocabulary.scores});
  metadata.set("tokenizer.ggml.token_type", MetadataArray{std::move(types)});
  if (!vocabulary.merges.empty())
    metadata.set("tokenizer.ggml.merges", MetadataArray{vocabulary.merges});
  for (const SpecialToken& special : kSpecialTokens) {
    if (const auto id = vocabulary.*special.id) metadata.set(special.key, *id);
  }
  metadata.set("tokenizer.ggml.add_bos_token", vocabulary.add_bos);
  metadata.set("tokenizer.ggml.add_eos_token", vocabulary.add_eos);
  const bool standard = defaults_of(vocabulary.model, "vocabulary").add_space_prefix;
  if (vocabulary.add_space_prefix != standard)
    metadata.set("tokenizer.ggml.add_space_prefix", vocabulary.add_space_prefix);
  if (!vocabulary.chat_template.empty()) {
    metadata.set("tokenizer.chat_template", vocabulary.chat_template);
  }
  if (!vocabulary.definition.empty()) {
    metadata.set(std::string(kDefinitionKey), vocabulary.definition);
  }
  if (!vocabulary.exact_scores.empty())
    metadata.set(std::string(kExactScoresKey), MetadataArray{vocabulary.exact_scores});
}

void check_vocabulary(const Vocabulary& vocabulary, std::string_view origin) {
  const size_t size = vocabulary.size();
  if (size == 0 || size > kMaxVocabularySize) {
    fail(ErrorCode::kInvalidFile, "{}: the vocabulary has {} tokens, expected 1 to {}", origin,
         size, kMaxVocabularySize);
  }
  const bool has_scores = needs_scores(vocabulary.model) || !vocabulary.scores.empty();
  if ((has_scores && vocabulary.scores.size() != size) || vocabulary.types.size() != size) {
    fail(ErrorCode::kInvalidFile,
         "{}: found {} tokens, {} scores and {} token types, expected one "
         "score and one type for each token",
         origin, size, vocabulary.scores.size(), vocabulary.types.size());
  }
  if (vocabulary.exact_scores.size() > size ||
      !std::ranges::all_of(vocabulary.exact_scores, [](double x) { return std::isfinite(x); })) {
    fail(ErrorCode::kInvalidFile, "{}: {}: found {} scores, expected finite ones of at most {}",
         origin, kExactScoresKey, vocabulary.exact_scores.size(), size);
  }
  for (const SpecialToken& special : kSpecialTokens)
    check_id(vocabulary.*special.id, special.key, size, origin);
  std::array<bool, 256> spelled{};
  size_t bytes = 0;
  for (size_t id = 0; id < size; ++id) {
    const auto byte = check_token(vocabulary, id, origin);
    if (byte && !std::exchange(spelled[*byte], true)) ++bytes;
  }
  if (vocabulary.model == "llama" && !vocabulary.unk && bytes < spelled.size()) {
    fail(ErrorCode::kInvalidFile,
         "{}: found {} of 256 byte tokens and no unknown token: there is "
         "no way to spell every text",
         origin, bytes);
  }
  const auto has = [](std::optional<uint32_t> one, std::optional<uint32_t> other) {
    return one.has_value() || other.has_value();
  };
  if ((vocabulary.add_bos && !has(vocabulary.bos, vocabulary.cls)) ||
      (vocabulary.add_eos && !has(vocabulary.eos, vocabulary.sep))) {
    fail(ErrorCode::kInvalidFile, "{}: a {} token is to be added to texts, but none is named",
         origin, has(vocabulary.bos, vocabulary.cls) ? "eos" : "bos");
  }
}

}  // namespace nibble
