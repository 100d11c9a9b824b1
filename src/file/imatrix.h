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
//                a value is in_sum2 / counts; 1 in every column of an expert without counts
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace nibble {

struct ImportanceMatrix {
  std::vector<std::string> datasets;  // names of the texts; may be empty
  uint64_t chunks = 0;                // pieces of text that were read; 0: not said
  // Tensor name -> finite values >= 0 of its columns, one expert's after another's.
  std::map<std::string, std::vector<float>, std::less<>> entries;
};

// `file` is the whole file in either layout. Errors: kInvalidFile for whatever is wrong with it; a
// value that is not finite or is negative is named by tensor and column.
ImportanceMatrix parse_imatrix(std::span<const std::byte> file, const std::string& file_name);
ImportanceMatrix read_imatrix(const std::filesystem::path& path);

}  // namespace nibble
