// Whether a file's tokenizer and chat template still do what they did where the file came from.
#pragma once

#include <string>
#include <vector>

#include "nibble/model.h"
#include "nibble/tokenize.h"

namespace nibble {

// Checks the conformance vectors that nibble::quantize stores when it converts a Hugging Face
// directory (docs/formats/gguf.md): a few dozen texts and the ids they became, a few chats and the
// prompts. Takes milliseconds. A sentence on what comes out otherwise, to stand behind the model's
// name; empty: all as it was, or there is nothing to check. Damaged vectors are a sentence, too.
std::vector<std::string> conformance_problems(const Model& model);

// The same of a tokenizer alone.
std::vector<std::string> conformance_problems(const ModelTokenizer& tokenizer);

}  // namespace nibble
