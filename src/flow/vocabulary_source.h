// Where the vocabulary of a model comes from.
#pragma once

#include <filesystem>

#include "base/metadata.h"
#include "text/hf_tokenizer.h"
#include "text/vocabulary.h"

namespace nibble {

// The tokenizer's files of a Hugging Face directory.
HfTokenizerFiles tokenizer_files(const std::filesystem::path& folder);

struct OpenedVocabulary {
  Vocabulary vocabulary;
  Metadata conformance;  // the keys that hold a GGUF's conformance vectors
};

// Of a directory, a GGUF, a tokenizer.json or a tokenizer.model, without looking at weights.
OpenedVocabulary open_vocabulary(const std::filesystem::path& path);

}  // namespace nibble
