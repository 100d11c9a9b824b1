#include "eval/perplexity.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel/operations.h"

namespace nibble {
namespace {

// Scores each token after window[first] .. by the logits after the one before it; the last logits
// of a window have nothing to be compared with.
void add_scores(std::span<const uint32_t> window, int64_t first, std::span<const float> logits,
                int64_t vocab_size, LikelihoodSums& sums) {
  const auto rows = static_cast<int64_t>(logits.size()) / vocab_size;
  const auto count = std::min(rows, static_cast<int64_t>(window.size()) - 1 - first);
  for (int64_t i = 0; i < count; ++i) {
    const float* row = logits.data() + i * vocab_size;
    const uint32_t next = window[static_cast<size_t>(first + 1 + i)];
    const double nll = static_cast<double>(operations().log_sum_exp(row, vocab_size)) - row[next];
    sums.nll += nll;
    sums.nll_squared += nll * nll;
  }
  sums.tokens += count;
}

}  // namespace

double LikelihoodSums::perplexity() const { return std::exp(mean()); }

double LikelihoodSums::perplexity_error() const {
  if (tokens < 2) return 0.0;
  const double variance = nll_squared / static_cast<double>(tokens) - mean() * mean();
  return std::sqrt(std::max(variance, 0.0) / static_cast<double>(tokens - 1)) * perplexity();
}

LikelihoodSums evaluate_windows(Session& session, const WindowedText& text, int64_t vocab_size,
                                const std::function<void(int64_t)>& on_window) {
  LikelihoodSums sums;
  const int64_t first = text.context / 2;  // the second half is scored
  for (int64_t w = 0; w < text.windows; ++w) {
    const auto from = text.tokens.subspan(static_cast<size_t>(w * text.context),
                                          static_cast<size_t>(text.context));
    std::vector<uint32_t> window(from.begin(), from.end());
    if (text.replaces_first) window[0] = text.first_token;
    session.rewind();
    for (int64_t begin = 0; begin < text.context; begin += Session::kBatch) {
      const int64_t end = std::min(begin + Session::kBatch, text.context);
      const auto batch = std::span<const uint32_t>(window).subspan(
          static_cast<size_t>(begin), static_cast<size_t>(end - begin));
      const int64_t from_position = std::max(begin, first);
      const auto logits = session.feed(batch, std::max<int64_t>(0, end - from_position));
      add_scores(window, from_position, logits, vocab_size, sums);
    }
    on_window(w + 1);
  }
  return sums;
}

}  // namespace nibble
