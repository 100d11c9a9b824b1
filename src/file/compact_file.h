// A compact reference: what a model predicted on a text, in about 2 KB a position where all
// log-probabilities would take 256 KB (docs/formats/reference.md). Of each position the likeliest
// tokens are there, and a sample of the others. Little-endian:
//
//   "NIBLREF1"  u32 context  u32 vocabulary size  u32 windows  u32 top  u32 samples
//   u32 0  u64 vocabulary hash  u32 tokens[windows * context]
//   per window, per scored position (context - 1 - context / 2, the first is context / 2):
//     f32 tail mass         probability of all tokens outside the top, together
//     f32 log p             of the token that came
//     id  ids[top]          of the likeliest, likeliest first
//     u16 codes[top]        their log p is -code / 2048, -32 or less for 65535
//     id  ids[samples]      drawn from the tail with replacement, each as often as its p says
//     u16 codes[samples]
//   id is u16 for vocabularies of at most 65536, else u32
//
// Logarithms are natural. Tokens are the text's, also where a window begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_file.h"

namespace nibble {

inline constexpr std::string_view kCompactMagic = "NIBLREF1";

struct CompactLayout {
  int64_t context = 0;
  int64_t vocab_size = 0;
  int64_t windows = 0;
  int64_t top = 0;               // at least 1
  int64_t samples = 0;           // 0, or at least 2, that their scatter is seen
  uint64_t vocabulary_hash = 0;  // vocabulary_hash()

  int64_t scored() const { return context - 1 - context / 2; }  // in a window
  uint64_t id_bytes() const { return vocab_size <= 65536 ? 2 : 4; }
  uint64_t row_bytes() const;
  uint64_t header_bytes() const;
  uint64_t offset(int64_t window, int64_t row) const;
  uint64_t file_bytes() const { return offset(windows, 0); }
};

// Fills in top and samples: as many as keep the file within a fiftieth of a LogitsFile, at most 256
// and 64; a fourth as many samples as tokens in the top.
void choose_sizes(CompactLayout& layout);

struct CompactEntry {
  uint32_t id;
  float log_p;  // when written: is rounded
};

// A position.
struct CompactRow {
  float tail_mass = 0;
  float next_log_p = 0;
  std::vector<CompactEntry> top, samples;
};

class CompactFile {
 public:
  // `file` is the whole file and must outlive the object. Error kInvalidFile for whatever is wrong
  // with header, tokens or length.
  CompactFile(std::span<const std::byte> file, std::string name);

  const CompactLayout& layout() const { return layout_; }
  std::vector<uint32_t> tokens() const;  // windows * context

  // Error kInvalidFile when ids are not in the vocabulary or probabilities do not add up.
  void read(int64_t window, int64_t row, CompactRow& result) const;

 private:
  std::span<const std::byte> file_;
  std::string name_;
  CompactLayout layout_;
};

class CompactFileWriter {
 public:
  // `tokens` are windows * context. Errors: those of OutputFile.
  CompactFileWriter(const std::filesystem::path& path, const CompactLayout& layout,
                    std::span<const uint32_t> tokens);

  // layout.top and layout.samples entries. Thread-safe.
  void write(int64_t window, int64_t row, const CompactRow& content);
  void commit() { file_.commit(); }  // all rows were written

 private:
  CompactLayout layout_;
  OutputFile file_;
};

// Of the texts of all tokens: tells vocabularies apart.
uint64_t vocabulary_hash(std::span<const std::string> tokens);

}  // namespace nibble
