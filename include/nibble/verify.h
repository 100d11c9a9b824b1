// Verifying that a quantized file is what its lock record says: the source is encoded again and the
// bytes are compared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nibble/progress.h"

namespace nibble {

struct VerifyOptions {
  RunOptions run;
  std::filesystem::path imatrix;  // the importance matrix that the file was made with, if any
  double sample = 1;  // the share of the pieces (1 MiB of the source each) to compare, (0, 1]
  uint64_t seed = 1;  // which pieces those are
};

struct VerifyResult {
  struct Problem {
    std::string tensor;
    std::string what;  // a sentence
  };
  std::vector<Problem> problems;   // none: the file is what it says
  std::vector<std::string> notes;  // what may explain problems: another version, no lock record
  uint64_t tensors = 0;            // of the file
  uint64_t bytes = 0;              // of the file's weights
  uint64_t bytes_compared = 0;
};

// Types are those of the file; effort, pruned layers and the choice among the
// importance matrix's entries those of its lock record (without one: the
// defaults). When everything is compared, the source's hashes are, too. Errors: those of reading;
// kUsage when an importance matrix is needed, or `sample` is out of range.
VerifyResult verify(const std::filesystem::path& file, const std::filesystem::path& source,
                    const VerifyOptions& options = {});

}  // namespace nibble
