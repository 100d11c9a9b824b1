// From planned outputs to finished files: journals, going on with unfinished work, lock records.
#pragma once

#include <vector>

#include "flow/encoding_rules.h"
#include "flow/model_source.h"
#include "flow/plan_outputs.h"
#include "nibble/quantize.h"

namespace nibble {

// Writes outputs[i] to targets[i]. Sets the counts of `result` and what each file took over.
// After Error kCancelled, kNoSpace and kIo the work that is done stays for `resume`; after others
// nothing stays but what an earlier call had left.
void write_outputs(const ModelSource& model, const EncodingRules& rules,
                   const std::vector<QuantizeTarget>& targets,
                   const std::vector<PlannedOutput>& outputs, const QuantizeOptions& options,
                   QuantizeResult& result);

}  // namespace nibble
