// What is in a model file or directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nibble/dtype.h"
#include "nibble/progress.h"

namespace nibble {

struct MetadataRow {
  std::string key;
  std::string type;   // "u32", "string", "array of 4096 string", ...
  std::string value;  // as text; long arrays and strings are cut off
};

struct TensorRow {
  std::string name;
  DType type;
  std::vector<uint64_t> shape;  // columns first, as in GGUF
  uint64_t bytes;
};

struct Inspection {
  std::string format;  // "GGUF 3", "Hugging Face directory"
  std::string architecture;
  std::string name;
  uint64_t file_bytes = 0;
  uint64_t weights = 0;
  double bits_per_weight = 0;
  std::vector<MetadataRow> metadata;
  std::vector<TensorRow> tensors;
  // What nibble/conformance.h says of its tokenizer and chat template, where the file holds the
  // vectors for it; a tokenizer that cannot be made of the file is validate()'s to name.
  std::vector<std::string> conformance_problems;
};

// Reads headers only.
Inspection inspect(const std::filesystem::path& model);

// Everything that can be checked without running the model: config, shapes, vocabulary, and that
// every weight is a finite number. Returns problems as messages; empty: none found.
std::vector<std::string> validate(const std::filesystem::path& model, const RunOptions& run = {});

}  // namespace nibble
