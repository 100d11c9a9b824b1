// What decides how each tensor's weights are rounded, beside their type.
#pragma once

#include "flow/feedback.h"
#include "flow/importance.h"
#include "nibble/effort.h"

namespace nibble {

struct EncodingRules {
  TensorImportance importance;
  TensorFeedback feedback;
  Effort effort = Effort::kDefault;
};

}  // namespace nibble
