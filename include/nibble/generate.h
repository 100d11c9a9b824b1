// Continuing a prompt.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/model.h"

namespace nibble {

struct GenerateOptions {
  int64_t max_tokens = 128;
  int64_t context =
      0;  // positions kept; 0: as many as prompt and max_tokens need, at most the trained number
  // Goes on when the context is full: the older half of its tokens is forgotten, but not the first
  // `keep` (-1: none of the prompt's). The first few hold attention up (arXiv:2309.17453).
  bool context_shift = false;
  int64_t keep = 4;
  // Of the KV cache: f32, f16, bf16, q8_0 or q4_0, or two of them as "q8_0/q4_0" for keys and
  // values.
  std::string kv_type = "f16";
  bool ignore_eos = false;
  // Sampling; temperature 0 is greedy, 0 (1 for top_p and the penalty) switches a filter off.
  double temperature = 0.8;
  int64_t top_k = 40;
  double top_p = 0.95;
  double min_p = 0.05;
  double repetition_penalty = 1.0;
  int64_t repetition_window = 64;  // tokens looked back on
  uint64_t seed = 0;
  const std::atomic<bool>* cancelled = nullptr;  // ends the answer early, without an error
};

struct GenerateResult {
  std::vector<uint32_t> prompt_tokens;
  std::vector<uint32_t> tokens;  // the new ones, without the end token
  std::string text;              // of the new tokens
  int64_t shifts = 0;            // how often the context was full
  std::string stop;              // "length", "end" (the model's end token), "cancelled"
  double prompt_seconds = 0;
  double generation_seconds = 0;  // of all new tokens but the first, which the prompt pays for
};

// `on_text` gets each piece of text as soon as it is whole. Errors: kUsage for options out of range
// or a prompt that does not fit the context.
GenerateResult generate(const Model& model, std::string_view prompt,
                        const GenerateOptions& options = {},
                        const std::function<void(std::string_view)>& on_text = {});

}  // namespace nibble
