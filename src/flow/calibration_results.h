// What a calibration comes to: an importance matrix under the model's names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calib/activation_statistics.h"
#include "file/imatrix.h"
#include "flow/model.h"
#include "nibble/calibrate.h"

namespace nibble {

// The tensor that stands for an input in the file of statistics: the first one that multiplies it.
std::string input_name(const Model::Parts& model, Role role, int64_t layer);
std::string input_name(const Model::Parts& model, const InputStatistics& input);

// Error kInvalidFile for sums that no float can say, naming tensor and column.
void check_finite(const Model::Parts& model, const InputStatistics& input);

ImportanceMatrix importance_of(const Model::Parts& model,
                               const std::vector<InputStatistics>& inputs);

// Experts that met less than a hundredth of an equal share of the tokens.
std::vector<Calibration::StarvedExpert> starved_experts(const ImportanceMatrix& matrix);

}  // namespace nibble
