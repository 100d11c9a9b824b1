#include "text/json_vocabulary.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "text/definition.h"
#include "text/exact_scores.h"
#include "text/normalizer.h"
#include "text/pre_names.h"
#include "text/tokenizer_json.h"

namespace nibble {
namespace {

std::string shown(const Json& json) {
  constexpr size_t kShown = 120;
  return json.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, kShown);
}

// --- Tokens --------------------------------------------------------------------------------------

struct Entry {
  uint64_t id;
  std::string_view text;
};

std::vector<Entry> entries_of(const JsonObject& model, const std::vector<AddedToken>& added) {
  std::vector<Entry> entries;
  const Json& vocab = model.require("vocab");
  if (!vocab.is_object()) {
    fail(ErrorCode::kInvalidFile, "{}: \"vocab\": found {}, expected an object of token: id",
         model.file_name(), vocab.type_name());
  }
  for (auto item = vocab.begin(); item != vocab.end(); ++item) {
    if (!item->is_number_unsigned() || item.key().empty()) {
      fail(ErrorCode::kInvalidFile, "{}: \"vocab\": \"{}\": found {}, expected a token's id",
           model.file_name(), item.key(), shown(*item));
    }
    entries.push_back({item->get<uint64_t>(), item.key()});
  }
  for (const AddedToken& token : added) entries.push_back({token.id, token.text});
  return entries;
}

// Ids may leave gaps: tokens that nothing becomes, as llama.cpp's converter has them.
void place_tokens(const std::vector<Entry>& entries, const std::string& file,
                  Vocabulary& vocabulary) {
  uint64_t largest = 0;
  for (const Entry& entry : entries) largest = std::max(largest, entry.id);
  // No vocabulary has more gaps than tokens, and a damaged id shall not ask for memory.
  if (entries.empty() || largest >= kMaxVocabularySize || largest >= entries.size() * 2 + 1024) {
    fail(ErrorCode::kInvalidFile, "{}: {} tokens, the largest id is {}", file, entries.size(),
         largest);
  }
  vocabulary.tokens.resize(largest + 1);
  vocabulary.types.assign(largest + 1, TokenType::kUnused);
  for (const Entry& entry : entries) {
    std::string& text = vocabulary.tokens[entry.id];
    if (!text.empty() && text != entry.text) {
      fail(ErrorCode::kInvalidFile, "{}: id {} stands for both \"{}\" and \"{}\"", file, entry.id,
           text, entry.text);
    }
    text = entry.text;
    vocabulary.types[entry.id] = TokenType::kNormal;
  }
  for (size_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.tokens[id].empty()) vocabulary.tokens[id] = fmt::format("[PAD{}]", id);
  }
}

void set_unknown(const JsonObject& model, Vocabulary& vocabulary) {
  const auto name = model.find_string("unk_token");
  if (!name) return;
  const auto found = std::ranges::find(vocabulary.tokens, *name);
  if (found == vocabulary.tokens.end()) {
    fail(ErrorCode::kInvalidFile, "{}: the unknown token \"{}\" is not in \"vocab\"",
         model.file_name(), *name);
  }
  vocabulary.unk = static_cast<uint32_t>(found - vocabulary.tokens.begin());
}

void set_types(const std::vector<AddedToken>& added, bool has_byte_tokens, Vocabulary& vocabulary) {
  for (uint32_t id = 0; has_byte_tokens && id < vocabulary.size(); ++id) {
    if (byte_of_token(vocabulary.tokens[id])) vocabulary.types[id] = TokenType::kByte;
  }
  for (const AddedToken& token : added) {
    vocabulary.types[token.id] = token.is_special ? TokenType::kControl : TokenType::kUserDefined;
  }
}

// --- Merges --------------------------------------------------------------------------------------

// "left right", or since 2024 ["left", "right"].
std::string merge_of(const Json& merge, const std::string& file) {
  if (merge.is_string()) return merge.get<std::string>();
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    std::string left = merge[0].get<std::string>();
    const std::string right = merge[1].get<std::string>();
    if (left.find(' ') == left.npos && right.find(' ') == right.npos) return left + " " + right;
  }
  fail(ErrorCode::kInvalidFile,
       "{}: \"merges\": found {}, expected \"left right\" or two tokens without spaces", file,
       shown(merge));
}

void read_merges(const JsonObject& model, Vocabulary& vocabulary) {
  const Json& merges = model.require("merges");
  if (!merges.is_array()) {
    fail(ErrorCode::kInvalidFile, "{}: \"merges\": found {}, expected an array", model.file_name(),
         merges.type_name());
  }
  vocabulary.merges.reserve(merges.size());
  for (const Json& merge : merges) vocabulary.merges.push_back(merge_of(merge, model.file_name()));
}

// What llama.cpp, which knows no ranked merges here, should prefer: what is merged early.
void set_scores_by_first_merge(Vocabulary& vocabulary) {
  std::unordered_map<std::string, uint32_t> ids;
  for (uint32_t id = 0; id < vocabulary.size(); ++id) ids.emplace(vocabulary.tokens[id], id);
  vocabulary.scores.assign(vocabulary.size(), -static_cast<float>(vocabulary.merges.size()));
  float score = 0;
  std::vector<bool> is_scored(vocabulary.size());
  for (std::string merge : vocabulary.merges) {
    score -= 1;
    if (const size_t space = merge.find(' ', 1); space != merge.npos) merge.erase(space, 1);
    const auto made = ids.find(merge);
    if (made == ids.end() || is_scored[made->second]) continue;
    is_scored[made->second] = true;
    vocabulary.scores[made->second] = score;
  }
}

Vocabulary byte_pair_vocabulary(const JsonObject& tokenizer, const JsonObject& model,
                                const Json& definition) {
  const std::string& file = tokenizer.file_name();
  const Json* steps = tokenizer.find("pre_tokenizer");
  const PreTokenizer pre_tokenizer(steps == nullptr ? Json() : *steps, file);
  const Json* normalizer = tokenizer.find("normalizer");
  const bool is_byte_level =
      pre_tokenizer.is_byte_level() ||
      Normalizer(normalizer == nullptr ? Json() : *normalizer, file).is_byte_level();
  const bool has_byte_tokens = !is_byte_level && model.find_bool("byte_fallback").value_or(false);
  const std::vector<AddedToken> added = added_tokens_of_json(tokenizer);
  Vocabulary vocabulary;
  vocabulary.model = has_byte_tokens ? "llama" : "gpt2";
  place_tokens(entries_of(model, added), file, vocabulary);
  set_types(added, has_byte_tokens, vocabulary);
  set_unknown(model, vocabulary);
  read_merges(model, vocabulary);
  if (has_byte_tokens) set_scores_by_first_merge(vocabulary);
  vocabulary.add_space_prefix = false;
  vocabulary.pre = "default";
  if (is_byte_level) {
    const bool ignores = model.find_bool("ignore_merges").value_or(false);
    vocabulary.pre = name_of_pre_tokenizer(pre_tokenizer, ignores).value_or("default");
  }
  vocabulary.definition = definition.dump();
  return vocabulary;
}

// --- Unigram and WordPiece -----------------------------------------------------------------------

// "vocab": [["<pad>", 0.0], ...]; the place is the id.
Vocabulary unigram_vocabulary(const JsonObject& tokenizer, const JsonObject& model,
                              const Json& definition) {
  const std::vector<AddedToken> added = added_tokens_of_json(tokenizer);
  std::vector<Entry> entries;
  std::vector<double> scores;
  for (const Json& item : model.require("vocab")) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_string() || !item[1].is_number()) {
      fail(ErrorCode::kInvalidFile, "{}: \"vocab\": found {}, expected [\"token\", score]",
           model.file_name(), shown(item));
    }
    entries.push_back({entries.size(), item[0].get_ref<const std::string&>()});
    scores.push_back(item[1].get<double>());
  }
  for (const AddedToken& token : added) entries.push_back({token.id, token.text});
  Vocabulary vocabulary;
  vocabulary.model = "t5";
  place_tokens(entries, tokenizer.file_name(), vocabulary);
  scores.resize(vocabulary.size());
  set_scores(scores, vocabulary);
  set_types(added, model.find_bool("byte_fallback").value_or(false), vocabulary);
  if (const auto unknown = model.find_uint("unk_id")) {
    vocabulary.unk = static_cast<uint32_t>(std::min<uint64_t>(*unknown, kMaxVocabularySize));
  }
  vocabulary.definition = definition.dump();
  return vocabulary;
}

// GGUF marks where words begin, WordPiece where they go on.
std::string marked_word_piece(const std::string& text, const std::string& prefix) {
  if (text.size() > prefix.size() && text.starts_with(prefix)) return text.substr(prefix.size());
  return std::string(kSpaceMark) + text;
}

Vocabulary word_piece_vocabulary(const JsonObject& tokenizer, const JsonObject& model,
                                 const Json& definition) {
  const std::vector<AddedToken> added = added_tokens_of_json(tokenizer);
  Vocabulary vocabulary;
  vocabulary.model = "bert";
  place_tokens(entries_of(model, added), tokenizer.file_name(), vocabulary);
  set_types(added, false, vocabulary);
  set_unknown(model, vocabulary);
  const std::string prefix = model.find_string("continuing_subword_prefix").value_or("##");
  for (size_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.types[id] == TokenType::kNormal)
      vocabulary.tokens[id] = marked_word_piece(vocabulary.tokens[id], prefix);
  }
  const Affixes affixes = affixes_of_json(tokenizer);
  if (affixes.prefix.size() == 1) vocabulary.cls = affixes.prefix.front();
  if (affixes.suffix.size() == 1) vocabulary.sep = affixes.suffix.front();
  vocabulary.add_space_prefix = false;
  vocabulary.definition = definition.dump();
  return vocabulary;
}

// --- Post-processors -----------------------------------------------------------------------------

uint32_t checked_id(const Json& id, const std::string& file) {
  if (!id.is_number_unsigned() || id.get<uint64_t>() >= kMaxVocabularySize)
    fail(ErrorCode::kInvalidFile, "{}: found {}, expected a token's id", file, shown(id));
  return id.get<uint32_t>();
}

// {"single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": ...}], "special_tokens": {"<s>": ...}}
Affixes template_affixes(const JsonObject& processor) {
  Affixes affixes;
  const Json none = Json::object();
  const Json* special = processor.find("special_tokens");
  const JsonObject tokens(special == nullptr ? none : *special,
                          processor.file_name() + ": special_tokens");
  bool after = false;
  for (const Json& item : processor.require("single")) {
    const JsonObject part(item, processor.file_name() + ": single");
    const Json* token = part.find("SpecialToken");
    if (token == nullptr) {
      after = true;
      continue;
    }
    const std::string name = JsonObject(*token, part.file_name()).require_string("id");
    const JsonObject entry(tokens.require(name.c_str()), tokens.file_name());
    for (const Json& id : entry.require("ids"))
      (after ? affixes.suffix : affixes.prefix).push_back(checked_id(id, part.file_name()));
  }
  return affixes;
}

// "cls": ["[CLS]", 101]
uint32_t named_id(const JsonObject& processor, const char* key) {
  const Json& pair = processor.require(key);
  if (!pair.is_array() || pair.size() != 2) {
    fail(ErrorCode::kInvalidFile, "{}: \"{}\": found {}, expected a token and its id",
         processor.file_name(), key, shown(pair));
  }
  return checked_id(pair[1], processor.file_name());
}

Affixes affixes_of_processor(const JsonObject& processor) {
  const std::string type = processor.require_string("type");
  if (type == "ByteLevel") return {};
  if (type == "TemplateProcessing") return template_affixes(processor);
  if (type == "BertProcessing" || type == "RobertaProcessing")
    return {{named_id(processor, "cls")}, {named_id(processor, "sep")}};
  if (type == "Sequence") {
    Affixes all;
    for (const Json& step : processor.require("processors")) {
      const Affixes affixes = affixes_of_processor(JsonObject(step, processor.file_name()));
      all.prefix.insert(all.prefix.begin(), affixes.prefix.begin(), affixes.prefix.end());
      all.suffix.insert(all.suffix.end(), affixes.suffix.begin(), affixes.suffix.end());
    }
    return all;
  }
  fail(ErrorCode::kUnsupported,
       "{}: type \"{}\" is not known; known are TemplateProcessing, BertProcessing, "
       "RobertaProcessing, ByteLevel and Sequence",
       processor.file_name(), type);
}

}  // namespace

Vocabulary vocabulary_with_definition(const JsonObject& tokenizer) {
  const JsonObject model(tokenizer.require("model"), tokenizer.file_name() + ": model");
  const std::string type = model.find_string("type").value_or("BPE");
  const Json definition = definition_of_json(tokenizer);
  if (type == "BPE") return byte_pair_vocabulary(tokenizer, model, definition);
  if (type == "Unigram") return unigram_vocabulary(tokenizer, model, definition);
  if (type == "WordPiece") return word_piece_vocabulary(tokenizer, model, definition);
  fail(ErrorCode::kUnsupported,
       "{}: a model of type \"{}\" is not known; known are BPE, Unigram and WordPiece",
       tokenizer.file_name(), type);
}

Affixes affixes_of_json(const JsonObject& tokenizer) {
  const Json* processor = tokenizer.find("post_processor");
  if (processor == nullptr) return {};
  return affixes_of_processor(JsonObject(*processor, tokenizer.file_name() + ": post_processor"));
}

}  // namespace nibble
