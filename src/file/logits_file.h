// The predictions of a model on a text as llama-perplexity stores them (--kl-divergence-base).
// Little-endian:
//
//   "_logits_"  i32 context  i32 vocabulary size  i32 windows  i32 tokens[windows * context]
//   per window, per scored position (context - 1 - context / 2, the first is context / 2):
//     f32 scale  f32 least  u16 codes[vocabulary size, rounded up to an even number]
//
// A natural log-probability is least + scale * code. The range of a row ends 16 below its largest:
// everything smaller has code 0. Tokens are the text's, also where a window begins.
// (https://github.com/ggml-org/llama.cpp/tree/master/examples/perplexity)
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/output_file.h"

namespace nibble {

inline constexpr std::string_view kLogitsMagic = "_logits_";

struct LogitsLayout {
  int64_t context = 0;
  int64_t vocab_size = 0;
  int64_t windows = 0;

  int64_t scored() const { return context - 1 - context / 2; }  // in a window
  uint64_t header_bytes() const;
  uint64_t row_bytes() const;
  uint64_t offset(int64_t window, int64_t row) const;
  uint64_t file_bytes() const { return offset(windows, 0); }
};

class LogitsFile {
 public:
  // `file` is the whole file and must outlive the object. Error kInvalidFile for whatever is wrong
  // with header, tokens or length.
  LogitsFile(std::span<const std::byte> file, std::string name);

  const LogitsLayout& layout() const { return layout_; }
  std::vector<uint32_t> tokens() const;  // windows * context

  // The log-probabilities of a row, vocab_size floats. Error kInvalidFile when they cannot be any.
  void read(int64_t window, int64_t row, float* log_probabilities) const;

 private:
  std::span<const std::byte> file_;
  std::string name_;
  LogitsLayout layout_;
};

class LogitsFileWriter {
 public:
  // `tokens` are windows * context. Errors: those of OutputFile.
  LogitsFileWriter(const std::filesystem::path& path, const LogitsLayout& layout,
                   std::span<const uint32_t> tokens);

  // From logits and the logarithm of the sum of their exponentials. Thread-safe.
  void write(int64_t window, int64_t row, const float* logits, double log_sum);
  void commit() { file_.commit(); }  // all rows were written

 private:
  LogitsLayout layout_;
  OutputFile file_;
};

// A row as it stands in the file: row_bytes() bytes.
std::vector<std::byte> encode_logits(const LogitsLayout& layout, const float* logits,
                                     double log_sum);

}  // namespace nibble
