// What nibble::quantize tells about one output.
#pragma once

#include "flow/importance.h"
#include "flow/plan_outputs.h"
#include "nibble/quantize.h"

namespace nibble {

QuantizedFile report_output(const QuantizeTarget& target, const PlannedOutput& output,
                            const TensorImportance& importance);

}  // namespace nibble
