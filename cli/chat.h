// Talking with a model at the terminal.
#pragma once

#include "nibble/chat.h"

namespace nibble::cli {

// Reads messages from stdin until it ends, or /exit; `first`, if not empty, is said before. With a
// terminal there are prompts to type at.
void run_chat(const Model& model, const ChatOptions& options, const std::string& first, bool quiet);

}  // namespace nibble::cli
