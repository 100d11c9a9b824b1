// tokenizer.ggml.pre: the names under which llama.cpp knows pre-tokenizers of byte-level
// vocabularies. A name is a row of patterns; they serve GGUF files of others, which say nothing
// else, and tell the name to write for a pre-tokenizer that does the same.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "text/pre_tokenizer.h"

namespace nibble {

struct PreRow {
  std::span<const std::string_view> names;  // the first is the one to write
  std::span<const std::string_view>
      patterns;  // applied one after the other, their matches isolated
  bool ignores_merges = false;
  bool add_bos = false;  // where the file does not say
};

const PreRow* find_pre_row(std::string_view name);  // nullptr: not known

// The row as "pre_tokenizer" of a tokenizer.json.
Json pre_tokenizer_of_row(const PreRow& row);

// The name of the row that cuts texts as `pre_tokenizer` does, found by trying both on texts that
// tell all rows apart; nullopt: there is none.
std::optional<std::string> name_of_pre_tokenizer(const PreTokenizer& pre_tokenizer,
                                                 bool ignores_merges);

std::string known_pre_names();  // "llama-bpe, ...", for messages

}  // namespace nibble
