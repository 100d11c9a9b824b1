#include "infer/sequences.h"

#include "base/error.h"

namespace nibble {

void check_predicts(const ModelConfig& config) {
  if (!config.is_encoder) return;
  fail(ErrorCode::kUnsupported,
       "a model of the architecture {} makes embeddings of texts (nibble embed), it has no next "
       "tokens to tell",
       config.arch->name);
}

void check_tokens(std::span<const uint32_t> tokens, const KvCache& cache, const Weights& weights) {
  const auto count = static_cast<int64_t>(tokens.size());
  if (count > cache.capacity() - cache.length()) {
    fail(ErrorCode::kUsage,
         "{} more tokens do not fit: {} of {} positions of the context are taken", count,
         cache.length(), cache.capacity());
  }
  for (const uint32_t token : tokens) {
    if (token >= weights.vocab_size()) {
      fail(ErrorCode::kUsage, "token {} is not in the vocabulary of {}", token,
           weights.vocab_size());
    }
  }
}

Sequences::Sequences(const ModelConfig& config, const Weights& weights, ThreadPool& pool,
                     int64_t count, int64_t context, KvTypes kv_types)
    : weights_(weights), forward_(config, weights, pool) {
  check_predicts(config);
  for (int64_t i = 0; i < count; ++i) caches_.emplace_back(config, context, kv_types);
}

std::span<const float> Sequences::feed(std::span<const Next> parts) {
  std::vector<ForwardPart> batch;
  for (const auto& [sequence, tokens, wanted] : parts) {
    KvCache& cache = caches_[static_cast<size_t>(sequence)];
    check_tokens(tokens, cache, weights_);
    batch.push_back({tokens, &cache, wanted});
  }
  return forward_.run(batch);
}

}  // namespace nibble
