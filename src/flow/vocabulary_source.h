// Where the vocabulary of a model comes from.
#pragma once

#include <filesystem>

#include "text/hf_tokenizer.h"
#include "text/vocabulary.h"

namespace nibble {

// The tokenizer's files of a Hugging Face directory.
HfTokenizerFiles tokenizer_files(const std::filesystem::path& folder);

// Of a directory, a GGUF, a tokenizer.json or a tokenizer.model, without looking at weights.
Vocabulary open_vocabulary(const std::filesystem::path& path);

}  // namespace nibble
