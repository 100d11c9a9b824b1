// What 8-bit activations lose: logits of quantized weights beside those of the same weights decoded
// to f32, where activations stay float.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/checkpoint.h"
#include "support/divergence.h"
#include "support/encoded.h"

namespace nibble {
namespace {

class ComputeInEightBits : public testing::TestWithParam<DType> {
 protected:
  // Of weights decoded to f32, where activations stay float, to those as they are.
  double divergence_by(size_t step) const {
    std::vector<float> found[2];
    for (const bool decoded : {true, false}) {
      const Encoded source(checkpoint_.tensors, GetParam(), decoded);
      const Weights weights(source, checkpoint_.config);
      found[decoded ? 0 : 1] = logits_by(checkpoint_.config, weights, ids_, step, 2, DType::kF32);
    }
    return divergence(found[0], found[1], found[0].size() / ids_.size());
  }

  const Checkpoint checkpoint_{kLab7m};
  const std::vector<uint32_t> ids_ = read_tokens(kLab7mTokens);
};

class InterleavedCompute : public ComputeInEightBits {
 protected:
  InterleavedCompute() { weights_.interleave(source_, pool_); }

  ThreadPool pool_{2};
  const Encoded source_{checkpoint_.tensors, GetParam(), false};
  Weights weights_{source_, checkpoint_.config};
};

// Measured: 7.1e-5 (q4_k) to 8.7e-5 (iq4_xs), the same on every machine.
TEST_P(ComputeInEightBits, DivergesLessThanATenThousandth) {
  for (const size_t step : {size_t{64}, size_t{1}}) {
    const double found = divergence_by(step);
    RecordProperty("divergence_" + std::to_string(step), std::to_string(1e6 * found));
    EXPECT_LT(found, 1e-4) << step << " tokens at a time";
    EXPECT_GT(found, 0.0);  // the two are not the same computation
  }
}

TEST_P(InterleavedCompute, NoCutOfATextChangesABit) {
  const std::span<const uint32_t> text(ids_.data(), 48);
  const auto whole = logits_by(checkpoint_.config, weights_, text, text.size(), 1);
  for (const size_t step : {1u, 3u, 5u, 13u}) {
    EXPECT_EQ(logits_by(checkpoint_.config, weights_, text, step, 2), whole)
        << step << " tokens at a time";
  }
}

// Three sequences that are read and continued together, by steps of other lengths each.
TEST_P(InterleavedCompute, NoCompanyChangesABit) {
  const std::span<const uint32_t> texts[] = {
      std::span(ids_).first(24), std::span(ids_).subspan(7, 30), std::span(ids_).subspan(30, 12)};
  const std::vector<size_t> steps[] = {{5, 1, 1, 17}, {1, 20, 1, 8}, {3, 1, 1, 7}};
  std::vector<KvCache> caches;
  for (const KvTypes types : {KvTypes(DType::kF16), KvTypes(DType::kQ8_0), KvTypes(DType::kF16)})
    caches.emplace_back(checkpoint_.config, 30, types);
  Forward forward(checkpoint_.config, weights_, pool_);
  std::vector<float> found[3];
  const auto vocabulary = static_cast<size_t>(weights_.vocab_size());
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
    KvCache cache(checkpoint_.config, 30, caches[i].layout().types);
    std::vector<float> alone;
    for (size_t step = 0; step < 4; ++step) {
      const auto part = texts[i].subspan(static_cast<size_t>(cache.length()), steps[i][step]);
      const auto logits = forward.run(part, cache, i == 1 && step == 1 ? 0 : 1);
      alone.insert(alone.end(), logits.begin(), logits.end());
    }
    EXPECT_EQ(found[i], alone) << "sequence " << i;
  }
}

const auto kFormats = testing::Values(DType::kQ8_0, DType::kQ4_K, DType::kQ6_K, DType::kQ4_0,
                                      DType::kQ2_K, DType::kIQ4_XS);
const auto kName = [](const auto& param) { return std::string(dtype_name(param.param)); };
INSTANTIATE_TEST_SUITE_P(Formats, ComputeInEightBits, kFormats, kName);
INSTANTIATE_TEST_SUITE_P(Formats, InterleavedCompute, kFormats, kName);

}  // namespace
}  // namespace nibble
