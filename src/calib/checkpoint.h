// What a calibration has measured so far, in a file beside its output, so that another process can
// go on to the same bytes. Layout, little-endian, all numbers u64 or f64
// (docs/formats/statistics.md):
//
//   "NIBCALC1"  length, the work's description (text)  passes that are done  chunks of this pass
//   twice, what the first pass measured and what this one has: count of inputs, and per input:
//     layer  columns  experts  count of roles, roles  sums[experts x columns]  counts[experts]
//     per expert: count of moments (0, or the triangle's), moments
//   XXH64 of all before
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "calib/activation_statistics.h"

namespace nibble {

struct CalibrationProgress {
  uint64_t passes = 0;                    // that are done
  uint64_t chunks = 0;                    // that the pass after them has read
  std::vector<InputStatistics> measured;  // by the first pass, without moments; none until then
};

struct CalibrationCheckpoint {
  std::string work;  // what is being measured: compare it before going on
  CalibrationProgress progress;
  std::vector<InputStatistics> inputs;  // what this pass has measured
};

// The file appears whole or not at all. Errors: those of OutputFile.
void write_checkpoint(const std::filesystem::path& path, const std::string& work,
                      const CalibrationProgress& progress,
                      const std::vector<InputStatistics>& inputs);

// Error kInvalidFile for whatever is wrong with it.
CalibrationCheckpoint parse_checkpoint(std::span<const std::byte> file,
                                       const std::string& file_name);

// OUTPUT.checkpoint
std::filesystem::path checkpoint_path(const std::filesystem::path& output);

}  // namespace nibble
