// The chat template that a loaded model comes with.
#pragma once

#include "nibble/model.h"
#include "text/chat_template.h"

namespace nibble {

// Error kUsage when the model has none; kInvalidFile, naming the line, when it is no template.
ChatTemplate chat_template_of(const Model::Parts& model);

}  // namespace nibble
