// Splitting a GGUF model over several files and joining them again, named and marked as llama.cpp's
// gguf-split does it, so that each program reads the other's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "nibble/progress.h"

namespace nibble {

struct GgufFileSize {
  std::filesystem::path path;
  uint64_t tensors = 0;
  uint64_t bytes = 0;
};

struct SplitOptions {
  RunOptions run;
  uint64_t max_bytes = 0;    // of each file, everything counted; one of these two is set
  uint64_t max_tensors = 0;  // in each file
  bool first_empty = false;  // the first file has the model's metadata and no tensor
  bool dry_run = false;      // say what would be written, write nothing
  bool overwrite = false;    // replace files that stand there
};

// Writes PREFIX-00001-of-0000N.gguf and so on, and returns them. They appear when all are complete,
// the first last. Joining them gives the bytes of `gguf` again, when that was written by llama.cpp,
// gguf-py or Nibble. Errors: those of reading; kUsage (a file of that name exists, a tensor is
// larger than max_bytes), kNoSpace, kIo.
std::vector<GgufFileSize> split(const std::filesystem::path& gguf,
                                const std::filesystem::path& prefix, const SplitOptions& options);

struct JoinOptions {
  RunOptions run;
  bool dry_run = false;
  bool overwrite = false;
};

// `first` is the first file of a split. Errors: as split(); kUsage when it is no split.
GgufFileSize join(const std::filesystem::path& first, const std::filesystem::path& target,
                  const JoinOptions& options = {});

}  // namespace nibble
