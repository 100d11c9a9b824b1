// Measuring a model on a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nibble/model.h"

namespace nibble {

// Perplexity by llama-perplexity's protocol: the text's tokens (BOS in front) are cut into windows
// of `context`, a rest is left out; in each window the first token is replaced by BOS, and the
// tokens after the first half are scored.
struct PerplexityOptions {
  int64_t context = 512;
  int64_t windows = 0;  // 0: all
  // Of the KV cache: f32, f16, bf16, q8_0 or q4_0, or two of them as "q8_0/q4_0" for keys and
  // values.
  std::string kv_type = "f16";
};

struct PerplexityResult {
  double mean = 0;   // e to the mean negative log-likelihood per scored token
  double error = 0;  // its standard error
  double nll = 0;    // natural logarithm, per token
  int64_t context = 0;
  int64_t windows = 0;
  int64_t scored_tokens = 0;
  int64_t processed_tokens = 0;
  double seconds = 0;
};

// Errors: kUsage when the text has less than one window, or options are out of range.
PerplexityResult perplexity(const Model& model, std::string_view text,
                            const PerplexityOptions& options = {}, const RunOptions& run = {});

}  // namespace nibble
