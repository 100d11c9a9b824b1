// The sampler's options among those of generating.
#pragma once

#include "infer/sampler.h"
#include "nibble/generate.h"

namespace nibble {

SamplerOptions sampler_options(const GenerateOptions& options);

}  // namespace nibble
