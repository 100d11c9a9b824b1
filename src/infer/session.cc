#include "infer/session.h"

#include <algorithm>

#include "infer/sequences.h"

namespace nibble {

Session::Session(const ModelConfig& config, const Weights& weights, ThreadPool& pool,
                 int64_t context, KvTypes kv_types)
    : weights_(weights),
      pool_(pool),
      cache_(config, context, kv_types),
      forward_(config, weights, pool) {
  check_predicts(config);
}

std::span<const float> Session::feed(std::span<const uint32_t> tokens) { return feed(tokens, 1); }

std::span<const float> Session::feed(std::span<const uint32_t> tokens, int64_t wanted) {
  const auto count = static_cast<int64_t>(tokens.size());
  check_tokens(tokens, cache_, weights_);
  // All logits must come from the last batch.
  const int64_t last =
      std::max(wanted, count % kBatch == 0 ? std::min(count, kBatch) : count % kBatch);
  for (int64_t begin = 0; begin < count - last; begin += kBatch) {
    const int64_t batch = std::min(kBatch, count - last - begin);
    forward_.run(tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(batch)), cache_, 0);
  }
  return forward_.run(tokens.last(static_cast<size_t>(last)), cache_, wanted);
}

void Session::read(std::span<const uint32_t> tokens, int64_t wanted) {
  check_tokens(tokens, cache_, weights_);
  const ForwardPart part = {tokens, &cache_, wanted};
  forward_.read({&part, 1});
}

}  // namespace nibble
