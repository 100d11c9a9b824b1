#include "flow/sampling.h"

#include <algorithm>

namespace nibble {

SamplerOptions sampler_options(const GenerateOptions& options) {
  SamplerOptions sampler;
  sampler.temperature = static_cast<float>(options.temperature);
  sampler.top_k = static_cast<int>(std::clamp<int64_t>(options.top_k, -1, INT32_MAX));
  sampler.top_p = static_cast<float>(options.top_p);
  sampler.min_p = static_cast<float>(options.min_p);
  sampler.repetition_penalty = static_cast<float>(options.repetition_penalty);
  sampler.repetition_window =
      static_cast<int>(std::clamp<int64_t>(options.repetition_window, -1, INT32_MAX));
  sampler.seed = options.seed;
  return sampler;
}

}  // namespace nibble
