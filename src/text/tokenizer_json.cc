#include "text/tokenizer_json.h"

#include <algorithm>

#include "base/error.h"
#include "text/json_vocabulary.h"
#include "text/merge_scores.h"

namespace nibble {
namespace {

std::string shown(const Json& json) {
  constexpr size_t kShown = 120;
  return json.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, kShown);
}

std::string type_of(const JsonObject& object) { return object.find_string("type").value_or(""); }

// --- What happens to a text before the merges ----------------------------------------------------

// The normalizers in order: Sequences opened, null is none.
std::vector<const Json*> normalizers_of(const JsonObject& tokenizer) {
  const Json* normalizer = tokenizer.find("normalizer");
  if (normalizer == nullptr) return {};
  const JsonObject object(*normalizer, tokenizer.file_name());
  if (type_of(object) != "Sequence") return {normalizer};
  std::vector<const Json*> steps;
  for (const Json& step : object.require("normalizers")) steps.push_back(&step);
  return steps;
}

bool replaces_spaces(const JsonObject& normalizer) {
  const Json* pattern = normalizer.find("pattern");
  return type_of(normalizer) == "Replace" && pattern != nullptr &&
         *pattern == Json{{"String", " "}} && normalizer.find_string("content") == kSpaceMark;
}

bool prepends_space(const JsonObject& normalizer) {
  return type_of(normalizer) == "Prepend" && normalizer.find_string("prepend") == kSpaceMark;
}

// A Metaspace that only marks spaces; one that splits too would keep merges from crossing words.
bool is_plain_metaspace(const JsonObject& pre_tokenizer) {
  return type_of(pre_tokenizer) == "Metaspace" &&
         pre_tokenizer.find_string("replacement") == kSpaceMark &&
         !pre_tokenizer.find_bool("split").value_or(true);
}

// Whether it puts a space before the text: "first" does so only there, "always" after special
// tokens too; GGUF cannot tell them apart, and llama.cpp does the latter.
bool metaspace_prefix(const JsonObject& pre_tokenizer) {
  if (const auto scheme = pre_tokenizer.find_string("prepend_scheme")) return *scheme != "never";
  return pre_tokenizer.find_bool("add_prefix_space").value_or(true);
}

// Returns add_space_prefix.
bool read_space_rule(const JsonObject& tokenizer) {
  const std::string& file = tokenizer.file_name();
  bool marks = false;
  bool prefix = false;
  for (const Json* step : normalizers_of(tokenizer)) {
    const JsonObject normalizer(*step, file);
    const bool prepends = !prefix && !marks && prepends_space(normalizer);
    const bool replaces = replaces_spaces(normalizer);
    if (!prepends && !replaces)
      fail_not_sentencepiece(file, "found the normalizer " + shown(*step));
    prefix = prefix || prepends;
    marks = marks || replaces;
  }
  if (const Json* json = tokenizer.find("pre_tokenizer")) {
    const JsonObject pre_tokenizer(*json, file);
    if (marks || prefix || !is_plain_metaspace(pre_tokenizer)) {
      fail_not_sentencepiece(file, "found the pre-tokenizer " + shown(*json));
    }
    return metaspace_prefix(pre_tokenizer);
  }
  if (!marks) fail_not_sentencepiece(file, "found nothing that marks spaces");
  return prefix;
}

// --- Tokens --------------------------------------------------------------------------------------

void require_sentencepiece_bpe(const JsonObject& model) {
  const std::string& file = model.file_name();
  const std::string type = type_of(model);
  if (type != "BPE") fail_not_sentencepiece(file, "found a model of type \"" + type + "\"");
  if (!model.find_bool("byte_fallback").value_or(false)) {
    fail_not_sentencepiece(file, "found a BPE model without byte_fallback");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (model.find_string(key).value_or("") != "") {
      fail_not_sentencepiece(file, std::string("found a BPE model with ") + key);
    }
  }
  if (model.find_float("dropout").value_or(0) != 0) {
    fail_not_sentencepiece(file, "found a BPE model with dropout");
  }
  if (model.find_bool("ignore_merges").value_or(false)) {
    fail_not_sentencepiece(file, "found a BPE model with ignore_merges");
  }
}

// Puts tokens into their places: as many places as tokens, so that a gap means a duplicate or an
// id that is too large, and no id can ask for more memory than the file has tokens.
class TokenTable {
 public:
  TokenTable(Vocabulary& vocabulary, size_t count, const std::string& file)
      : vocabulary_(vocabulary), file_(file), taken_(count) {
    if (count > kMaxVocabularySize) {
      fail(ErrorCode::kUnsupported, "{}: {} tokens, more than any vocabulary has", file, count);
    }
    vocabulary.tokens.resize(count);
    vocabulary.scores.resize(count);
    vocabulary.types.resize(count, TokenType::kNormal);
  }

  void put(uint64_t id, std::string_view text) {
    if (id >= taken_.size()) {
      fail(ErrorCode::kInvalidFile,
           "{}: token \"{}\" has id {}, but there are only {} tokens: the ids must leave no gap",
           file_, text, id, taken_.size());
    }
    if (taken_[id]) {
      fail(ErrorCode::kInvalidFile, "{}: id {} stands for both \"{}\" and \"{}\"", file_, id,
           vocabulary_.tokens[id], text);
    }
    taken_[id] = true;
    vocabulary_.tokens[id] = text;
  }

 private:
  Vocabulary& vocabulary_;
  const std::string& file_;
  std::vector<bool> taken_;
};

void require_vocab(const JsonObject& model) {
  const Json& vocab = model.require("vocab");
  if (!vocab.is_object() || vocab.empty()) {
    fail(ErrorCode::kInvalidFile, "{}: \"vocab\": found {}, expected an object of token: id",
         model.file_name(), vocab.empty() ? "nothing" : vocab.type_name());
  }
  for (const auto& [text, id] : vocab.items()) {
    if (text.empty() || !id.is_number_unsigned()) {
      fail(ErrorCode::kInvalidFile, "{}: \"vocab\": \"{}\": found {}, expected a token's id",
           model.file_name(), text, shown(id));
    }
  }
}

void read_tokens(const JsonObject& model, const std::vector<AddedToken>& added,
                 Vocabulary& vocabulary) {
  const std::string& file = model.file_name();
  require_vocab(model);
  const Json& vocab = model.require("vocab");
  std::vector<const AddedToken*> beyond;  // added tokens that "vocab" does not hold
  for (const AddedToken& token : added) {
    const auto held = vocab.find(token.text);
    if (held == vocab.end()) {
      beyond.push_back(&token);
    } else if (held->get<uint64_t>() != token.id) {
      fail(ErrorCode::kInvalidFile, "{}: \"{}\" has id {} in \"vocab\" and {} in \"added_tokens\"",
           file, token.text, held->get<uint64_t>(), token.id);
    }
  }
  TokenTable table(vocabulary, vocab.size() + beyond.size(), file);
  for (const auto& [text, id] : vocab.items()) table.put(id.get<uint64_t>(), text);
  for (const AddedToken* token : beyond) table.put(token->id, token->text);
}

void read_types(const JsonObject& model, const std::vector<AddedToken>& added,
                Vocabulary& vocabulary) {
  for (uint32_t id = 0; id < vocabulary.size(); ++id) {
    if (byte_of_token(vocabulary.tokens[id])) vocabulary.types[id] = TokenType::kByte;
  }
  for (const AddedToken& token : added) {
    vocabulary.types[token.id] = token.is_special ? TokenType::kControl : TokenType::kUserDefined;
  }
  if (const auto unknown = model.find_string("unk_token")) {
    const auto found = std::ranges::find(vocabulary.tokens, *unknown);
    if (found == vocabulary.tokens.end()) {
      fail(ErrorCode::kInvalidFile, "{}: the unknown token \"{}\" is not in \"vocab\"",
           model.file_name(), *unknown);
    }
    vocabulary.unk = static_cast<uint32_t>(found - vocabulary.tokens.begin());
    vocabulary.types[*vocabulary.unk] = TokenType::kUnknown;
  }
}

}  // namespace

std::vector<AddedToken> added_tokens_of_json(const JsonObject& tokenizer) {
  std::vector<AddedToken> added;
  const Json* list = tokenizer.find("added_tokens");
  if (list == nullptr) return added;
  if (!list->is_array()) {
    fail(ErrorCode::kInvalidFile, "{}: \"added_tokens\": found {}, expected an array",
         tokenizer.file_name(), list->type_name());
  }
  for (const Json& item : *list) {
    const JsonObject token(item, tokenizer.file_name() + ": added_tokens");
    added.push_back({token.require_uint("id"), token.require_string("content"),
                     token.find_bool("special").value_or(false)});
    if (added.back().text.empty()) {
      fail(ErrorCode::kInvalidFile, "{}: token {} has no text", token.file_name(), added.back().id);
    }
  }
  return added;
}

namespace {

// Whether its BPE is of SentencePiece's kind at all: byte tokens instead of letters for bytes.
bool has_byte_tokens(const JsonObject& tokenizer) {
  const JsonObject model(tokenizer.require("model"), tokenizer.file_name());
  const std::string type = type_of(model);
  return (type == "BPE" || type.empty()) && model.find_bool("byte_fallback").value_or(false);
}

Vocabulary sentencepiece_vocabulary(const JsonObject& tokenizer) {
  const JsonObject model(tokenizer.require("model"), tokenizer.file_name());
  require_sentencepiece_bpe(model);
  Vocabulary vocabulary;
  vocabulary.add_space_prefix = read_space_rule(tokenizer);
  const std::vector<AddedToken> added = added_tokens_of_json(tokenizer);
  read_tokens(model, added, vocabulary);
  read_types(model, added, vocabulary);
  const auto bytes = std::ranges::count(vocabulary.types, TokenType::kByte);
  if (bytes != 0 && bytes != 256)  // there a character is spelled if its own bytes are tokens
    fail_not_sentencepiece(model.file_name(), fmt::format("found {} byte tokens", bytes));
  set_scores_from_merges(model, vocabulary);
  return vocabulary;
}

}  // namespace

Vocabulary vocabulary_from_tokenizer_json(const JsonObject& tokenizer) {
  if (!has_byte_tokens(tokenizer)) return vocabulary_with_definition(tokenizer);
  try {
    return sentencepiece_vocabulary(tokenizer);
  } catch (const Error& error) {  // then its merges are run as they stand there
    if (error.code() != ErrorCode::kUnsupported) throw;
  }
  return vocabulary_with_definition(tokenizer);
}

}  // namespace nibble
