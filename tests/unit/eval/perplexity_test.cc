// Perplexity against the protocol written out plainly.
#include "eval/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <vector>

#include "support/checkpoint.h"
#include "support/files.h"

namespace nibble {
namespace {

std::vector<uint32_t> some_tokens(size_t count) {
  std::vector<uint32_t> tokens(count);
  for (size_t i = 0; i < count; ++i)
    tokens[i] = static_cast<uint32_t>((i * i * 31 + 7 * i) % 4000 + 50);
  return tokens;
}

// Negative log-likelihood of the second half of one window, in double precision.
std::vector<double> plain_nlls(const Checkpoint& model, std::vector<uint32_t> window,
                               uint32_t bos) {
  ThreadPool pool(1);
  KvCache cache(model.config, static_cast<int64_t>(window.size()), DType::kF32);
  Forward forward(model.config, model.weights, pool);
  const auto vocab = static_cast<size_t>(model.weights.vocab_size());
  window[0] = bos;
  const auto logits = forward.run(window, cache, static_cast<int64_t>(window.size()));
  std::vector<double> nlls;
  for (size_t i = window.size() / 2; i + 1 < window.size(); ++i) {
    double sum = 0;
    for (size_t k = 0; k < vocab; ++k) sum += std::exp(static_cast<double>(logits[i * vocab + k]));
    nlls.push_back(std::log(sum) - logits[i * vocab + window[i + 1]]);
  }
  return nlls;
}

void expect_the_protocol(int64_t context, int64_t windows) {
  const Checkpoint model(kLab7m);
  const auto tokens = some_tokens(static_cast<size_t>(context * windows + 5));
  ThreadPool pool(2);
  Session session(model.config, model.weights, pool, context, DType::kF32);
  int64_t reported = 0;
  const WindowedText text = {tokens, context, windows, 1, true};
  const auto sums = evaluate_windows(session, text, model.weights.vocab_size(),
                                     [&](int64_t done) { reported = done; });
  std::vector<double> expected;
  for (int64_t w = 0; w < windows; ++w) {
    const auto begin = tokens.begin() + w * context;
    for (const double nll : plain_nlls(model, {begin, begin + context}, 1)) expected.push_back(nll);
  }
  double nll = 0, squared = 0;
  for (const double value : expected) nll += value, squared += value * value;
  const auto count = static_cast<double>(expected.size());
  EXPECT_EQ(reported, windows);
  EXPECT_EQ(sums.tokens, static_cast<int64_t>(expected.size()));
  EXPECT_NEAR(sums.nll / nll, 1.0, 1e-6);
  EXPECT_NEAR(sums.perplexity() / std::exp(nll / count), 1.0, 1e-5);
  const double variance = squared / count - nll / count * (nll / count);
  EXPECT_NEAR(sums.perplexity_error() / (std::sqrt(variance / (count - 1)) * std::exp(nll / count)),
              1.0, 1e-3);
}

TEST(Perplexity, ScoresTheSecondHalfOfEachWindow) { expect_the_protocol(32, 3); }

TEST(Perplexity, ScoresOddWindowsAsWell) { expect_the_protocol(9, 4); }

TEST(Perplexity, CutsLongWindowsIntoBatches) { expect_the_protocol(2 * Session::kBatch + 100, 1); }

}  // namespace
}  // namespace nibble
