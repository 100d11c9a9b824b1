// What a calibration does: which layers' moments each pass over the texts measures, and what its
// bytes depend on.
#pragma once

#include <string>
#include <vector>

#include "calib/activation_statistics.h"
#include "flow/calibration_texts.h"
#include "flow/model.h"
#include "nibble/calibrate.h"

namespace nibble {

// As many layers at once as CalibrateOptions::memory_limit has room for, at least one; one pass
// without any where no moments are asked for.
std::vector<ActivationStatistics::MomentLayers> calibration_passes(const ModelConfig& config,
                                                                   const CalibrateOptions& options);

// For check_same_work(): everything that the bytes depend on.
std::string describe_calibration(const Model::Parts& model,
                                 const std::vector<CalibrationText>& texts,
                                 const CalibrationChunks& chunks, const CalibrateOptions& options,
                                 size_t passes);

}  // namespace nibble
