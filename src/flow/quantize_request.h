// From the options of nibble::quantize, which are text and paths, to what planning works with.
#pragma once

#include "flow/encoding_rules.h"
#include "flow/model_source.h"
#include "flow/plan_outputs.h"
#include "nibble/quantize.h"

namespace nibble {

// Everything that the options say, checked before any work begins. Errors: kUsage for text that
// cannot be read, and those of reading files.
struct QuantizeRequest {
  PlanRequest plan;
  EncodingRules rules;
  std::string imatrix_sha256;        // of the file; empty: none
  Method method = Method::kNearest;  // never kAuto
};

// Prunes and overrides `model` as the options say.
QuantizeRequest read_request(const QuantizeOptions& options, ModelSource& model);

}  // namespace nibble
