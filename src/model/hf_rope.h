// What config.json says about RoPE, in the forms of both old files ("rope_theta", "rope_scaling")
// and new ones ("rope_parameters", for each kind of layer where there are several).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/metadata.h"
#include "model/roles.h"

namespace nibble {

// rope.* keys. Error kUnsupported for a scaling that is not known.
void add_rope_keys(const JsonObject& config, uint64_t head_dim, const std::string& prefix,
                   Metadata& metadata);

// The divisors of frequencies, one per pair, that "llama3" and "longrope" scaling ask for.
std::vector<std::pair<Role, std::vector<float>>> rope_tensors(const JsonObject& config,
                                                              uint64_t head_dim);

}  // namespace nibble
