#include "text/tokenizer_parts.h"

#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/definition.h"

namespace nibble {
namespace {

Vocabulary checked(Vocabulary vocabulary, const std::string& origin) {
  check_vocabulary(vocabulary, origin);
  return vocabulary;
}

Json definition_of(const Vocabulary& vocabulary, const std::string& origin) {
  return vocabulary.definition.empty() ? definition_of_names(vocabulary, origin)
                                       : parse_json(vocabulary.definition, origin);
}

// Without a definition the text stays as it comes, but for the spaces of SentencePiece.
Normalizer normalizer_of(const Json& definition, const Vocabulary& vocabulary,
                         const std::string& origin) {
  const JsonObject object(definition, origin);
  if (const Json* normalizer = object.find("normalizer")) return Normalizer(*normalizer, origin);
  if (vocabulary.model != "llama" || !vocabulary.definition.empty()) return {};
  Json steps = Json::array();
  if (vocabulary.add_space_prefix) steps.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
  steps.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}});
  return Normalizer({{"type", "Sequence"}, {"normalizers", std::move(steps)}}, origin);
}

PreTokenizer pre_tokenizer_of(const Json& definition, const std::string& origin) {
  const Json* pre_tokenizer = JsonObject(definition, origin).find("pre_tokenizer");
  return pre_tokenizer == nullptr ? PreTokenizer() : PreTokenizer(*pre_tokenizer, origin);
}

Encoder encoder_of(const Json& definition, const Vocabulary& vocabulary, bool is_byte_level,
                   const std::string& origin) {
  const JsonObject object(definition, origin);
  const JsonObject model(object.require("model"), object.file_name() + ": model");
  return {vocabulary, model, is_byte_level};
}

// A list of ids in the definition; nullopt: there is none.
std::optional<std::vector<uint32_t>> ids_of(const Json& definition, const char* key, size_t size,
                                            const std::string& origin) {
  const Json* list = JsonObject(definition, origin).find(key);
  if (list == nullptr) return std::nullopt;
  std::vector<uint32_t> ids;
  for (const Json& item : *list) {
    if (!item.is_number_unsigned() || item.get<uint64_t>() >= size) {
      fail(ErrorCode::kInvalidFile, "{}: {}: found {}, expected ids below {}", origin, key,
           item.dump(-1, ' ', true), size);
    }
    ids.push_back(item.get<uint32_t>());
  }
  return ids;
}

}  // namespace

TokenizerParts::TokenizerParts(Vocabulary tokens, const std::string& origin)
    : vocabulary(checked(std::move(tokens), origin)),
      definition(definition_of(vocabulary, origin)),
      normalizer(normalizer_of(definition, vocabulary, origin)),
      pre_tokenizer(pre_tokenizer_of(definition, origin)),
      is_byte_level(pre_tokenizer.is_byte_level() || normalizer.is_byte_level()),
      encoder(encoder_of(definition, vocabulary, is_byte_level, origin)),
      needs_utf8(!encoder.takes_any_bytes()) {
  add_matched_tokens(origin);
  add_affixes(origin);
}

void TokenizerParts::add_matched_tokens(const std::string& origin) {
  std::unordered_map<uint32_t, const Json*> flags;
  if (const Json* list = JsonObject(definition, origin).find("added_tokens")) {
    for (const Json& item : *list) {
      const JsonObject token(item, origin + ": added_tokens");
      flags.emplace(static_cast<uint32_t>(token.require_uint("id")), &item);
    }
  }
  Regex::Scratch scratch;
  for (uint32_t id = 0; id < vocabulary.size(); ++id) {
    const TokenType type = vocabulary.types[id];
    const bool is_matched = type == TokenType::kControl || type == TokenType::kUserDefined ||
                            type == TokenType::kUnknown;
    if (!is_matched || vocabulary.tokens[id].empty()) continue;
    TokenMatcher::Token token{
        .text = vocabulary.tokens[id], .id = id, .is_control = type != TokenType::kUserDefined};
    const auto found = flags.find(id);
    if (found == flags.end()) {
      raw_tokens.add(std::move(token));
      continue;
    }
    const JsonObject flag(*found->second, origin);
    token.strips_left = flag.find_bool("lstrip").value_or(false);
    token.strips_right = flag.find_bool("rstrip").value_or(false);
    token.single_word = flag.find_bool("single_word").value_or(false);
    if (!flag.find_bool("normalized").value_or(false)) {
      raw_tokens.add(std::move(token));
      continue;
    }
    token.text = normalizer.apply(token.text, scratch);
    if (!token.text.empty()) normalized_tokens.add(std::move(token));
  }
}

void TokenizerParts::add_affixes(const std::string& origin) {
  const auto before = ids_of(definition, "prefix", vocabulary.size(), origin);
  const auto after = ids_of(definition, "suffix", vocabulary.size(), origin);
  const auto first_of = [](std::optional<uint32_t> one, std::optional<uint32_t> other) {
    return one ? one : other;
  };
  const bool is_bert = vocabulary.model == "bert";
  if (before) prefix = *before;
  if (after) suffix = *after;
  if (!before && vocabulary.add_bos) {
    prefix = {*first_of(is_bert ? vocabulary.cls : vocabulary.bos,
                        is_bert ? vocabulary.bos : vocabulary.cls)};
  }
  if (!after && vocabulary.add_eos) {
    suffix = {*first_of(is_bert ? vocabulary.sep : vocabulary.eos,
                        is_bert ? vocabulary.eos : vocabulary.sep)};
  }
}

// Byte-level tokens are bytes, BERT's are words without their spaces.
void TokenizerParts::append_normal(uint32_t id, bool is_start, std::string& text) const {
  const std::string_view token = vocabulary.tokens[id];
  if (is_byte_level) {
    const auto bytes = bytes_of_letters(token);
    text += bytes ? std::string_view(*bytes) : token;
    return;
  }
  if (vocabulary.model == "bert") {  // a mark begins a word, which a space parts from the last one
    const bool begins = token.starts_with(kSpaceMark);
    if (begins && !text.empty()) text += ' ';
    text += token.substr(begins ? kSpaceMark.size() : 0);
    return;
  }
  const bool drops_space = is_start && vocabulary.add_space_prefix && token.starts_with(kSpaceMark);
  text += unmark_spaces(token.substr(drops_space ? kSpaceMark.size() : 0));
}

}  // namespace nibble
