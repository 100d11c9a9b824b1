// Hugging Face's config.json as GGUF metadata: what llama.cpp's converter writes for the same
// model.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

// The architecture that config.json names. Error kUnsupported, naming it and those supported.
const Arch& arch_from_hf_config(const JsonObject& config);

// general.* and ARCH.* keys. `model_name` becomes general.name. Errors: kInvalidFile for missing or
// contradictory fields, kUnsupported for what the architecture's row cannot express.
Metadata metadata_from_hf_config(const Arch& arch, const JsonObject& config,
                                 const std::string& model_name);

// The divisors of RoPE frequencies that "llama3" scaling asks for, one per pair; empty for any
// other scaling.
std::vector<float> rope_factors_from_hf_config(const JsonObject& config);

}  // namespace nibble
