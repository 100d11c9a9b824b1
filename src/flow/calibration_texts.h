// The tokens of calibration texts, cut into chunks.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/windows.h"
#include "nibble/calibrate.h"
#include "nibble/model.h"

namespace nibble {

class CalibrationChunks {
 public:
  // Errors: those of nibble::calibrate about texts and chunks.
  CalibrationChunks(const Model::Parts& model, const std::vector<CalibrationText>& texts,
                    const CalibrateOptions& options);
  CalibrationChunks(const CalibrationChunks&) = delete;  // windows look at the tokens
  CalibrationChunks& operator=(const CalibrationChunks&) = delete;

  int64_t count() const { return count_; }
  // BOS in front, where the vocabulary wants it.
  std::vector<uint32_t> chunk(int64_t index) const;
  const std::vector<std::vector<uint32_t>>& tokens() const { return tokens_; }  // of each text

 private:
  std::vector<std::vector<uint32_t>> tokens_;
  std::vector<Windows> windows_;
  int64_t count_ = 0;
};

}  // namespace nibble
