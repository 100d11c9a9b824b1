// The chat template that a loaded model comes with.
#pragma once

#include <string>

#include "nibble/model.h"
#include "text/chat_template.h"

namespace nibble {

// `given`, or the model's own where that is empty. Error kUsage when there is none; kInvalidFile,
// naming the line, when it is no template.
ChatTemplate chat_template_of(const Model::Parts& model, const std::string& given = {});

}  // namespace nibble
