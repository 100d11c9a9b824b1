// Hugging Face's config.json as GGUF metadata: what llama.cpp's converter writes for the same
// model.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"
#include "model/renamed.h"

namespace nibble {

// The architecture that config.json names. Error kUnsupported, naming it and those supported.
const Arch& arch_from_hf_config(const JsonObject& config);

// The fields of a language model: those of "text_config" if there is one, then the file's own, then
// the architecture's defaults.
Json language_model_config(const Arch& arch, const JsonObject& config);

// general.* and ARCH.* keys. `model_name` becomes general.name. Errors: kInvalidFile for missing or
// contradictory fields, kUnsupported for what the architecture's row cannot express.
Metadata metadata_from_hf_config(const Arch& arch, const JsonObject& config,
                                 const std::string& model_name);

// How the checkpoint's tensors become GGUF's; `metadata` is that of the config.
RenamedOptions renamed_options(const Arch& arch, const JsonObject& config,
                               const Metadata& metadata);

}  // namespace nibble
