// StatisticsFile: a GGUF of importance and moments being written (docs/formats/statistics.md).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_file.h"
#include "file/gguf_sink.h"
#include "file/imatrix.h"
#include "file/moments.h"

namespace nibble {

class StatisticsFile {
 public:
  // Of an input that has moments.
  struct MomentsShape {
    std::string input;
    uint64_t columns;
    uint64_t experts;
  };

  // `names`: of the tensors whose inputs have moments. With kResume, what an earlier process left
  // must be there. Errors: those of GgufSink; kUsage when it is not.
  StatisticsFile(const std::filesystem::path& path, const ImportanceMatrix& matrix,
                 const std::vector<MomentsShape>& moments, const InputNames& names,
                 Unfinished unfinished = Unfinished::kRemove);

  // An expert's triangle; empty: zeros.
  void write_moments(std::string_view input, uint64_t expert, std::span<const double> triangle);
  // All experts' are in the file already (kResume).
  void accept_moments(std::string_view input);

  void finish() { sink_->finish(); }  // everything is written
  void keep();                        // what is written, synced, for another process to go on

 private:
  void write_matrix(const ImportanceMatrix& matrix);
  void write(std::string_view name, uint64_t offset, std::span<const float> values);
  size_t index_of(std::string_view name) const;

  std::filesystem::path path_;
  std::vector<TensorInfo> tensors_;
  std::unique_ptr<GgufSink> sink_;
};

}  // namespace nibble
