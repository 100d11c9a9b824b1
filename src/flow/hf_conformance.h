// The conformance vectors of a Hugging Face directory.
#pragma once

#include <filesystem>

#include "base/metadata.h"

namespace nibble {

// Made by the tokenizer's own files, into the metadata of the model, which has its vocabulary;
// without one nothing is added.
void add_conformance_of(const std::filesystem::path& folder, Metadata& metadata);

}  // namespace nibble
