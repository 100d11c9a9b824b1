#include "text/hf_tokenizer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "text/json_vocabulary.h"
#include "text/sentencepiece_model.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace nibble {
namespace {

// Scores that llama.cpp's converter gives to tokens which no merge makes.
constexpr float kAddedScore = -1000.0f;
constexpr float kPaddingScore = -10000.0f;

// One JSON file, parsed when it is there.
struct JsonFile {
  JsonFile(const std::optional<std::string>& text, const std::string& folder, const char* name) {
    if (!text) return;
    const std::string path = folder.empty() ? name : folder + "/" + name;
    json = parse_json(*text, path);
    object.emplace(json, path);
  }
  JsonFile(const JsonFile&) = delete;  // object points to json
  JsonFile& operator=(const JsonFile&) = delete;

  const JsonObject* get() const { return object ? &*object : nullptr; }

  Json json;
  std::optional<JsonObject> object;
};

// --- Added tokens --------------------------------------------------------------------------------

using AddedTokens = std::map<uint64_t, AddedToken>;

void collect(AddedToken token, const std::string& file, AddedTokens& tokens) {
  if (token.text.empty() || token.id >= kMaxVocabularySize) {
    fail(ErrorCode::kInvalidFile, "{}: added token {}: {}", file, token.id,
         token.text.empty() ? "it has no text" : "no vocabulary has so many tokens");
  }
  tokens.insert_or_assign(token.id, std::move(token));
}

// added_tokens.json: {"<pad>": 32000, ...}
void collect_added_tokens(const JsonFile& file, AddedTokens& tokens) {
  for (const auto& [text, id] : file.json.items()) {
    collect({file.object->require_uint(text.c_str()), text, false}, file.object->file_name(),
            tokens);
  }
}

// tokenizer_config.json: "added_tokens_decoder": {"32000": {"content": "<pad>", ...}, ...}
void collect_added_tokens_decoder(const JsonObject& config, AddedTokens& tokens) {
  const Json* decoder = config.find("added_tokens_decoder");
  if (decoder == nullptr) return;
  const std::string where = config.file_name() + ": added_tokens_decoder";
  const JsonObject checked(*decoder, where);
  for (const auto& [key, json] : decoder->items()) {
    uint64_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size()) {
      fail(ErrorCode::kInvalidFile, "{}: found \"{}\", expected a token's id", where, key);
    }
    const JsonObject token(json, where);
    collect({id, token.require_string("content"), token.find_bool("special").value_or(false)},
            where, tokens);
  }
}

bool has_scores(const Vocabulary& vocabulary) { return !vocabulary.scores.empty(); }

void apply(const AddedToken& token, const std::string& folder, Vocabulary& vocabulary) {
  if (token.id > vocabulary.size()) {
    fail(ErrorCode::kInvalidFile, "{}: added token \"{}\" has id {}, but token {} is missing",
         folder, token.text, token.id, vocabulary.size());
  }
  if (token.id == vocabulary.size()) {
    vocabulary.tokens.emplace_back();
    vocabulary.types.push_back(TokenType::kUserDefined);
    if (has_scores(vocabulary)) vocabulary.scores.push_back(kAddedScore);
  }
  TokenType& type = vocabulary.types[token.id];
  const bool is_same = std::exchange(vocabulary.tokens[token.id], token.text) == token.text;
  if (is_same && type == TokenType::kByte) return;
  if (!token.is_special) {
    type = TokenType::kUserDefined;
  } else if (!is_same || type != TokenType::kUnknown) {  // <unk> is listed as special too
    type = TokenType::kControl;
  }
}

// --- Roles ---------------------------------------------------------------------------------------

// "<s>", or {"content": "<s>", ...}; empty: not named.
std::string token_name(const JsonObject& config, const char* key) {
  const Json* token = config.find(key);
  if (token == nullptr) return "";
  if (!token->is_object()) return config.find_string(key).value_or("");
  return JsonObject(*token, config.file_name() + ": " + key).require_string("content");
}

struct Role {
  const char* key;
  std::optional<uint32_t> Vocabulary::*id;
};

constexpr std::array<Role, 7> kRoles = {{{"bos_token", &Vocabulary::bos},
                                         {"eos_token", &Vocabulary::eos},
                                         {"unk_token", &Vocabulary::unk},
                                         {"pad_token", &Vocabulary::pad},
                                         {"sep_token", &Vocabulary::sep},
                                         {"cls_token", &Vocabulary::cls},
                                         {"mask_token", &Vocabulary::mask}}};

std::optional<uint32_t> find_token(const Vocabulary& vocabulary, std::string_view text) {
  const auto found = std::ranges::find(vocabulary.tokens, text);
  if (found == vocabulary.tokens.end()) return std::nullopt;
  return static_cast<uint32_t>(found - vocabulary.tokens.begin());
}

void read_roles(const JsonObject& config, Vocabulary& vocabulary) {
  for (const Role& role : kRoles) {
    const std::string name = token_name(config, role.key);
    if (name.empty()) continue;
    const auto id = find_token(vocabulary, name);
    // Padding is for training only; many models name a token for it that they do not have.
    if (!id && role.id != &Vocabulary::pad) {
      fail(ErrorCode::kInvalidFile, "{}: {} is \"{}\", which is not in the vocabulary of {} tokens",
           config.file_name(), role.key, name, vocabulary.size());
    }
    if (id) vocabulary.*role.id = id;
  }
}

// "chat_template": the template, or a list of {"name": ..., "template": ...}.
std::string chat_template_of(const JsonObject& config) {
  const Json* chat = config.find("chat_template");
  if (chat == nullptr) return "";
  if (!chat->is_array()) return *config.find_string("chat_template");
  for (const Json& item : *chat) {
    const JsonObject entry(item, config.file_name() + ": chat_template");
    if (entry.find_string("name") == "default") return entry.require_string("template");
  }
  return "";
}

void read_config(const JsonObject& config, Vocabulary& vocabulary) {
  read_roles(config, vocabulary);
  vocabulary.chat_template = chat_template_of(config);
  if (!vocabulary.definition.empty()) return;  // it has the rest
  vocabulary.add_space_prefix =
      config.find_bool("add_prefix_space").value_or(vocabulary.add_space_prefix);
}

// --- What goes around a text ---------------------------------------------------------------------

std::vector<uint32_t> list_of(bool wanted, std::optional<uint32_t> one,
                              std::optional<uint32_t> other) {
  if (!wanted || (!one && !other)) return {};
  return {one ? *one : *other};
}

// tokenizer.json says it with its post-processor, tokenizer_config.json may overrule it.
void set_affixes(const JsonObject* tokenizer, const JsonObject* config, Vocabulary& vocabulary) {
  const auto flag = [&](const char* key) {
    return config == nullptr ? std::nullopt : config->find_bool(key);
  };
  const auto add_bos = flag("add_bos_token");
  const auto add_eos = flag("add_eos_token");
  if (vocabulary.definition.empty() &&
      (tokenizer == nullptr || tokenizer->find("post_processor") == nullptr)) {
    vocabulary.add_bos = add_bos.value_or(vocabulary.bos.has_value());
    vocabulary.add_eos = add_eos.value_or(false);
    return;
  }
  Affixes affixes = affixes_of_json(*tokenizer);
  const auto first = vocabulary.cls ? vocabulary.cls : vocabulary.bos;
  const auto last = vocabulary.sep ? vocabulary.sep : vocabulary.eos;
  if (add_bos && vocabulary.bos) affixes.prefix = list_of(*add_bos, vocabulary.bos, {});
  if (add_eos && vocabulary.eos) affixes.suffix = list_of(*add_eos, vocabulary.eos, {});
  vocabulary.add_bos =
      !affixes.prefix.empty() && affixes.prefix == list_of(true, vocabulary.bos, first);
  vocabulary.add_eos =
      !affixes.suffix.empty() && affixes.suffix == list_of(true, vocabulary.eos, last);
  if (vocabulary.definition.empty()) return;
  Json definition = parse_json(vocabulary.definition, "tokenizer.json");
  if (!affixes.prefix.empty() && !vocabulary.add_bos) definition["prefix"] = affixes.prefix;
  if (!affixes.suffix.empty() && !vocabulary.add_eos) definition["suffix"] = affixes.suffix;
  vocabulary.definition = definition.dump();
}

// --- The whole -----------------------------------------------------------------------------------

Vocabulary base_vocabulary(const HfTokenizerFiles& files, const JsonObject* tokenizer_json) {
  if (files.tokenizer_model) {
    return vocabulary_from_sentencepiece(*files.tokenizer_model, files.folder + "/tokenizer.model");
  }
  if (tokenizer_json == nullptr) {
    fail(ErrorCode::kNotFound, "{}: found neither tokenizer.model nor tokenizer.json",
         files.folder);
  }
  Vocabulary vocabulary = vocabulary_from_tokenizer_json(*tokenizer_json);
  const Affixes affixes = affixes_of_json(*tokenizer_json);
  if (vocabulary.definition.empty()) {
    vocabulary.bos = find_token(vocabulary, "<s>");
    vocabulary.eos = find_token(vocabulary, "</s>");
  }
  if (affixes.prefix.size() == 1) vocabulary.bos = affixes.prefix.front();
  if (affixes.suffix.size() == 1) vocabulary.eos = affixes.suffix.front();
  return vocabulary;
}

void pad(Vocabulary& vocabulary, uint64_t size, const std::string& folder) {
  if (vocabulary.size() > size) {
    fail(
        ErrorCode::kInvalidFile,
        "{}: the tokenizer has {} tokens, but the model's embedding only {} rows; the tokenizer is "
        "probably not this model's",
        folder, vocabulary.size(), size);
  }
  for (uint64_t id = vocabulary.size(); id < size; ++id) {
    vocabulary.tokens.push_back(fmt::format("[PAD{}]", id));
    if (has_scores(vocabulary)) vocabulary.scores.push_back(kPaddingScore);
    vocabulary.types.push_back(TokenType::kUnused);
  }
}

}  // namespace

Vocabulary vocabulary_from_hf(const HfTokenizerFiles& files, std::optional<uint64_t> vocab_size) {
  if (vocab_size && (*vocab_size == 0 || *vocab_size > kMaxVocabularySize)) {
    fail(ErrorCode::kInvalidFile, "{}: a vocabulary of {} tokens, expected 1 to {}", files.folder,
         *vocab_size, kMaxVocabularySize);
  }
  const JsonFile tokenizer(files.tokenizer_json, files.folder, "tokenizer.json");
  const JsonFile added(files.added_tokens, files.folder, "added_tokens.json");
  const JsonFile map(files.special_tokens_map, files.folder, "special_tokens_map.json");
  const JsonFile config(files.tokenizer_config, files.folder, "tokenizer_config.json");
  Vocabulary vocabulary = base_vocabulary(files, tokenizer.get());

  AddedTokens tokens;
  if (added.get()) collect_added_tokens(added, tokens);
  if (tokenizer.get()) {
    const std::string& file = tokenizer.get()->file_name();
    for (AddedToken& token : added_tokens_of_json(*tokenizer.get())) {
      collect(std::move(token), file, tokens);
    }
  }
  if (config.get()) collect_added_tokens_decoder(*config.get(), tokens);
  for (const auto& [id, token] : tokens) apply(token, files.folder, vocabulary);

  if (map.get()) read_roles(*map.get(), vocabulary);
  if (config.get()) read_config(*config.get(), vocabulary);
  set_affixes(files.tokenizer_model ? nullptr : tokenizer.get(), config.get(), vocabulary);
  if (files.chat_template) vocabulary.chat_template = *files.chat_template;
  for (size_t id = 0; id < vocabulary.size(); ++id) {
    std::string& text = vocabulary.tokens[id];
    // User-defined tokens are looked for in the text before its spaces are marked.
    const bool is_marked = vocabulary.definition.empty();
    if (is_marked && vocabulary.types[id] == TokenType::kUserDefined) text = unmark_spaces(text);
  }
  pad(vocabulary, vocab_size.value_or(vocabulary.size()), files.folder);
  check_vocabulary(vocabulary, files.folder);
  // A part that cannot be run is found now, not when a converted file is loaded.
  if (!vocabulary.definition.empty()) Tokenizer(vocabulary, files.folder + "/tokenizer.json");
  return vocabulary;
}

}  // namespace nibble
