// An importance matrix: for each column of a tensor the mean square of the activations that met it
// in some text, as llama-imatrix measures it. Two layouts, both little-endian
// (https://github.com/ggml-org/llama.cpp/tree/master/tools/imatrix):
//
//   legacy .dat  i32 entry count
//                per entry:  i32 length, name  i32 calls  i32 value count  f32[value count]
//                i32 chunk count  i32 length, data set          (either nothing or both)
//                a value is mean * calls, or the mean itself where calls is 0
//   GGUF         keys imatrix.datasets (strings), imatrix.chunk_count, imatrix.chunk_size
//                per entry:  tensor NAME.in_sum2  f32 [columns, experts]
//                            tensor NAME.counts   f32 [1, experts]
//                a value is in_sum2 / counts
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"

namespace nibble {

// What a tensor's columns met.
struct ImportanceEntry {
  std::vector<float> sums;    // of squares, >= 0 and finite; one expert's columns after another's
  std::vector<float> counts;  // rows that were added up, one for each expert or one for all

  bool operator==(const ImportanceEntry&) const = default;

  // A value for each of `sums`. Where there are several counts, each expert counts as if it had
  // seen kPooledRows more rows of the mean over all experts: who saw few is near that mean, and who
  // saw none has it. Without any rows all is 1.
  static constexpr double kPooledRows = 16;
  std::vector<float> means() const;
};

struct ImportanceMatrix {
  std::vector<std::string> datasets;  // names of the texts; may be empty
  uint64_t chunks = 0;                // pieces of text that were read; 0: not said
  uint64_t chunk_size = 0;            // tokens in each; 0: not said
  bool counts_calls = false;          // .dat: counts are of calls, one a chunk, and not of rows
  std::map<std::string, ImportanceEntry, std::less<>> entries;  // of tensors, by name
};

// `file` is the whole file in either layout. Errors: kInvalidFile for whatever is wrong with it; a
// value that is not finite or is negative is named by tensor and column.
ImportanceMatrix parse_imatrix(std::span<const std::byte> file, const std::string& file_name);
ImportanceMatrix read_imatrix(const std::filesystem::path& path);

// The file in the legacy layout, for a matrix whose entries were made from as many rows each.
std::string imatrix_dat_bytes(const ImportanceMatrix& matrix);
// What the GGUF layout says beside its tensors, and their names for an entry's.
Metadata imatrix_metadata(const ImportanceMatrix& matrix);
std::string imatrix_sums_name(std::string_view tensor);
std::string imatrix_counts_name(std::string_view tensor);

}  // namespace nibble
