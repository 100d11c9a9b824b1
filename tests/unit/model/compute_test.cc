// What 8-bit activations lose: logits of quantized weights beside those of the same weights decoded
// to f32, where activations stay float.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/checkpoint.h"
#include "support/encoded.h"

namespace nibble {
namespace {

std::vector<double> log_probabilities(std::span<const float> logits) {
  double sum = 0;
  for (const float l : logits) sum += std::exp(static_cast<double>(l));
  std::vector<double> result;
  for (const float l : logits) result.push_back(l - std::log(sum));
  return result;
}

// Mean of KL(reference || found) over the tokens, `step` of them at a time.
double divergence(DType type, size_t step) {
  const Checkpoint checkpoint(kLab7m);
  const auto ids = read_tokens(kLab7mTokens);
  ThreadPool pool(2);
  std::vector<std::vector<double>> found[2];
  for (const bool decoded : {true, false}) {
    const Encoded source(checkpoint.tensors, type, decoded);
    const Weights weights(source, checkpoint.config);
    KvCache cache(checkpoint.config, static_cast<int64_t>(ids.size()), DType::kF32);
    Forward forward(checkpoint.config, weights, pool);
    for (size_t at = 0; at < ids.size(); at += step) {
      const auto logits =
          forward.run(std::span(ids).subspan(at, step), cache, static_cast<int64_t>(step));
      const size_t vocabulary = logits.size() / step;
      for (size_t t = 0; t < step; ++t)
        found[decoded ? 0 : 1].push_back(
            log_probabilities(logits.subspan(t * vocabulary, vocabulary)));
    }
  }
  double total = 0;
  for (size_t t = 0; t < ids.size(); ++t) {
    for (size_t i = 0; i < found[0][t].size(); ++i)
      total += std::exp(found[0][t][i]) * (found[0][t][i] - found[1][t][i]);
  }
  return total / static_cast<double>(ids.size());
}

class ComputeInEightBits : public testing::TestWithParam<DType> {};

// Measured: 7.1e-5 (q4_k) to 8.7e-5 (iq4_xs), the same on every machine.
TEST_P(ComputeInEightBits, DivergesLessThanATenThousandth) {
  for (const size_t step : {size_t{64}, size_t{1}}) {
    const double found = divergence(GetParam(), step);
    RecordProperty("divergence_" + std::to_string(step), std::to_string(1e6 * found));
    EXPECT_LT(found, 1e-4) << step << " tokens at a time";
    EXPECT_GT(found, 0.0);  // the two are not the same computation
  }
}

TEST_P(ComputeInEightBits, InterleavedNoCutOfATextChangesABit) {
  const Checkpoint checkpoint(kLab7m);
  const auto ids = read_tokens(kLab7mTokens);
  const Encoded source(checkpoint.tensors, GetParam(), false);
  Weights weights(source, checkpoint.config);
  ThreadPool pool(2);
  weights.interleave(source, pool);
  const std::span<const uint32_t> text(ids.data(), 48);
  const auto whole = logits_by(checkpoint.config, weights, text, text.size(), 1);
  for (const size_t step : {1u, 3u, 5u, 13u}) {
    EXPECT_EQ(logits_by(checkpoint.config, weights, text, step, 2), whole)
        << step << " tokens at a time";
  }
}

// Three sequences that are read and continued together, by steps of other lengths each.
TEST_P(ComputeInEightBits, InterleavedNoCompanyChangesABit) {
  const Checkpoint checkpoint(kLab7m);
  const auto ids = read_tokens(kLab7mTokens);
  const Encoded source(checkpoint.tensors, GetParam(), false);
  Weights weights(source, checkpoint.config);
  ThreadPool pool(2);
  weights.interleave(source, pool);
  const std::span<const uint32_t> texts[] = {
      std::span(ids).first(24), std::span(ids).subspan(7, 30), std::span(ids).subspan(30, 12)};
  const std::vector<size_t> steps[] = {{5, 1, 1, 17}, {1, 20, 1, 8}, {3, 1, 1, 7}};
  std::vector<KvCache> caches;
  for (const KvTypes types : {KvTypes(DType::kF16), KvTypes(DType::kQ8_0), KvTypes(DType::kF16)})
    caches.emplace_back(checkpoint.config, 30, types);
  Forward forward(checkpoint.config, weights, pool);
  std::vector<float> found[3];
  const auto vocabulary = static_cast<size_t>(weights.vocab_size());
  for (size_t step = 0; step < 4; ++step) {
    std::vector<ForwardPart> parts;
    for (size_t i = 0; i < 3; ++i) {
      const auto at = static_cast<size_t>(caches[i].length());
      const int64_t wanted = i == 1 && step == 1 ? 0 : 1;  // one that asks for nothing
      parts.push_back({texts[i].subspan(at, steps[i][step]), &caches[i], wanted});
    }
    const auto logits = forward.run(parts);
    size_t row = 0;
    for (size_t i = 0; i < 3; ++i) {
      if (parts[i].wanted == 0) continue;
      const auto mine = logits.subspan(row++ * vocabulary, vocabulary);
      found[i].insert(found[i].end(), mine.begin(), mine.end());
    }
    EXPECT_EQ(row * vocabulary, logits.size());
  }
  for (size_t i = 0; i < 3; ++i) {
    KvCache cache(checkpoint.config, 30, caches[i].layout().types);
    std::vector<float> alone;
    for (size_t step = 0; step < 4; ++step) {
      const auto part = texts[i].subspan(static_cast<size_t>(cache.length()), steps[i][step]);
      const auto logits = forward.run(part, cache, i == 1 && step == 1 ? 0 : 1);
      alone.insert(alone.end(), logits.begin(), logits.end());
    }
    EXPECT_EQ(found[i], alone) << "sequence " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, ComputeInEightBits,
                         testing::Values(DType::kQ8_0, DType::kQ4_K, DType::kQ6_K, DType::kQ4_0,
                                         DType::kQ2_K, DType::kIQ4_XS),
                         [](const auto& param) { return std::string(dtype_name(param.param)); });

}  // namespace
}  // namespace nibble
