#include "text/definition.h"

#include "base/error.h"
#include "text/pre_names.h"
#include "text/pre_tokenizer.h"

namespace nibble {
namespace {

// "model" without what the vocabulary holds.
Json model_options(const JsonObject& tokenizer) {
  Json options = Json::object();
  for (const auto& [key, value] : tokenizer.require("model").items()) {
    if (key != "vocab" && key != "merges") options[key] = value;
  }
  return options;
}

// Flags of added tokens that differ from "matched in the text as it comes, and nothing else".
Json added_flags(const JsonObject& tokenizer) {
  Json flags = Json::array();
  const Json* added = tokenizer.find("added_tokens");
  if (added == nullptr) return flags;
  for (const Json& item : *added) {
    const JsonObject token(item, tokenizer.file_name() + ": added_tokens");
    Json entry = Json::object();
    for (const char* flag : {"normalized", "lstrip", "rstrip", "single_word"}) {
      if (token.find_bool(flag).value_or(false)) entry[flag] = true;
    }
    if (entry.empty()) continue;
    entry["id"] = token.require_uint("id");
    flags.push_back(std::move(entry));
  }
  return flags;
}

Json metaspace(bool prefix) {
  return {{"type", "Metaspace"},
          {"replacement", kSpaceMark},
          {"prepend_scheme", prefix ? "always" : "never"},
          {"split", true}};
}

}  // namespace

Json definition_of_json(const JsonObject& tokenizer) {
  Json definition = Json::object();
  for (const char* key : {"normalizer", "pre_tokenizer"}) {
    if (const Json* part = tokenizer.find(key)) definition[key] = *part;
  }
  definition["model"] = model_options(tokenizer);
  if (Json flags = added_flags(tokenizer); !flags.empty())
    definition["added_tokens"] = std::move(flags);
  return definition;
}

Json definition_of_names(const Vocabulary& vocabulary, const std::string& origin) {
  Json definition = Json::object();
  if (vocabulary.model == "gpt2") {
    const PreRow* row = find_pre_row(vocabulary.pre);
    if (row == nullptr) {
      fail(ErrorCode::kUnsupported,
           "{}: tokenizer.ggml.pre is \"{}\", which this version does not know; known are {}. "
           "Convert the model from its original: then the pre-tokenizer comes from tokenizer.json",
           origin, vocabulary.pre, known_pre_names());
    }
    definition["pre_tokenizer"] = pre_tokenizer_of_row(*row);
    definition["model"] = {{"type", "BPE"}, {"ignore_merges", row->ignores_merges}};
  } else if (vocabulary.model == "bert") {
    definition["normalizer"] = {{"type", "BertNormalizer"}};
    definition["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    definition["model"] = {{"type", "WordPiece"}};
  } else if (vocabulary.model == "t5") {
    definition["pre_tokenizer"] = metaspace(vocabulary.add_space_prefix);
    definition["model"] = {{"type", "Unigram"}};
  } else {
    definition["model"] = {{"type", "SentencePiece BPE"}};
  }
  return definition;
}

bool has_unnamed_pre_tokenizer(const Metadata& metadata) {
  const auto text = metadata.find_string(kDefinitionKey);
  if (!text || metadata.find_string("tokenizer.ggml.model") != "gpt2" ||
      metadata.find_string("tokenizer.ggml.pre") != "default")
    return false;
  const std::string origin = std::string(kDefinitionKey);
  const Json json = parse_json(*text, origin);
  const JsonObject definition(json, origin);
  const JsonObject model(definition.require("model"), origin + ": model");
  const Json* steps = definition.find("pre_tokenizer");
  const PreTokenizer pre_tokenizer(steps == nullptr ? Json() : *steps, origin);
  return name_of_pre_tokenizer(pre_tokenizer, model.find_bool("ignore_merges").value_or(false)) !=
         "default";
}

}  // namespace nibble
