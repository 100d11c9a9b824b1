// Perplexity of a sequence of tokens, by the protocol of llama.cpp's llama-perplexity
// (nibble/evaluate.h).
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "infer/session.h"

namespace nibble {

struct WindowedText {
  std::span<const uint32_t> tokens;  // BOS first, if the model wants one
  int64_t context = 0;               // tokens in a window, >= 2, the session's context at least
  int64_t windows = 0;               // that are evaluated
  uint32_t first_token = 0;          // put in place of each window's first one, when replaces_first
  bool replaces_first = false;
};

// Sums over scored tokens of their negative log-likelihood (natural logarithm) and its square.
struct LikelihoodSums {
  double nll = 0;
  double nll_squared = 0;
  int64_t tokens = 0;

  double mean() const { return nll / static_cast<double>(tokens); }
  double perplexity() const;
  double perplexity_error() const;  // standard error: of the mean, carried through e^x
};

// `on_window` is called after each window with the number done; what it throws passes through.
LikelihoodSums evaluate_windows(Session& session, const WindowedText& text, int64_t vocab_size,
                                const std::function<void(int64_t)>& on_window);

}  // namespace nibble
