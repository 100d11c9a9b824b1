// The tokenizer of a Hugging Face model directory, from the texts of its files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "text/vocabulary.h"

namespace nibble {

// The contents of the files of these names; nullopt: not there. tokenizer.model is preferred;
// tokenizer.json is taken without it. The others add tokens, roles and the chat template.
struct HfTokenizerFiles {
  std::optional<std::string> tokenizer_model;     // tokenizer.model
  std::optional<std::string> tokenizer_json;      // tokenizer.json
  std::optional<std::string> tokenizer_config;    // tokenizer_config.json
  std::optional<std::string> special_tokens_map;  // special_tokens_map.json
  std::optional<std::string> added_tokens;        // added_tokens.json
  std::optional<std::string> chat_template;       // chat_template.jinja
  std::string folder;                             // for messages
};

// A vocabulary of exactly `vocab_size` tokens, the rows of the model's embedding (nullopt: as many
// as there are): missing ones are filled up with "[PAD{id}]" of type kUnused, as llama.cpp's
// converter does. Later files override
// earlier ones in the order special_tokens_map.json, tokenizer_config.json; BOS and EOS are "<s>"
// and "</s>" where nothing names them. Errors: kNotFound without any tokenizer file, kUnsupported,
// naming it, for a part of a tokenizer that is not known, kInvalidFile, also when there are more
// than `vocab_size` tokens.
Vocabulary vocabulary_from_hf(const HfTokenizerFiles& files, std::optional<uint64_t> vocab_size);

}  // namespace nibble
