// Windows against the protocol written out plainly.
#include "eval/windows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <vector>

#include "eval/score.h"
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

void expect_the_protocol(int64_t context, int64_t count) {
  const Checkpoint model(kLab7m);
  const auto tokens = some_tokens(static_cast<size_t>(context * count + 3));
  ThreadPool pool(2);
  Session session(model.config, model.weights, pool, context, DType::kF32);
  Windows windows = windows_side_by_side(tokens, context, 0);
  windows.first_token = 1;
  std::vector<double> nlls;
  int64_t reported = 0;
  WindowVisitor visitor;
  visitor.on_rows = [&](const ScoredRows& rows) {
    EXPECT_EQ(rows.window * windows.scored() + rows.begin, static_cast<int64_t>(nlls.size()));
    for (int64_t i = 0; i < rows.count(); ++i)
      nlls.push_back(score(rows.row(i), rows.vocab_size, rows.next[static_cast<size_t>(i)]).nll);
  };
  visitor.on_window = [&](int64_t done) { reported = done; };
  read_windows(session, model.weights.vocab_size(), windows, visitor);
  std::vector<double> expected;
  for (int64_t w = 0; w < count; ++w) {
    const auto begin = tokens.begin() + w * context;
    for (const double nll : plain_nlls(model, {begin, begin + context}, 1)) expected.push_back(nll);
  }
  EXPECT_EQ(reported, count);
  ASSERT_EQ(nlls.size(), expected.size());
  // Sums of a thousand products in another order (few tokens at a time are multiplied by rows).
  for (size_t i = 0; i < nlls.size(); ++i) ASSERT_NEAR(nlls[i], expected[i], 2e-4) << i;
}

TEST(Windows, ScoreTheirSecondHalves) { expect_the_protocol(32, 3); }

TEST(Windows, OfAnOddLengthScoreTheSmallerHalf) { expect_the_protocol(9, 4); }

TEST(Windows, ThatAreLongAreReadInBatches) { expect_the_protocol(2 * Session::kBatch + 100, 1); }

TEST(Windows, LeaveOutTheRestOfTheText) {
  const auto tokens = some_tokens(100);
  EXPECT_EQ(windows_side_by_side(tokens, 32, 0).count, 3);
  EXPECT_EQ(windows_side_by_side(tokens, 32, 2).count, 2);
  EXPECT_EQ(windows_side_by_side(tokens, 101, 0).count, 0);
}

// llama-perplexity --ppl-stride 8 -c 32: windows of 64 tokens, (100 - 64 + 7) / 8 of them.
TEST(Windows, WithAStrideOverlapAndScoreTheirEnds) {
  const auto tokens = some_tokens(100);
  const Windows windows = windows_with_stride(tokens, 32, 8, 0);
  EXPECT_EQ(windows.length, 64);
  EXPECT_EQ(windows.count, 5);
  EXPECT_EQ(windows.scored(), 8);
  EXPECT_EQ(windows.window(4)[static_cast<size_t>(windows.first)], tokens[4 * 8 + 55]);
  EXPECT_EQ(windows_with_stride(tokens, 100, 50, 0).count, 0);
}

}  // namespace
}  // namespace nibble
