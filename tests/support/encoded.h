// What tests of computing with quantized weights share.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "codec/codec.h"
#include "model/forward.h"
#include "tensor/source.h"

namespace nibble {

// A source whose matrices went through a block type; shown in that type, or decoded to f32.
class Encoded final : public TensorSource {
 public:
  Encoded(const TensorSource& source, DType type, bool decoded)
      : source_(source), type_(type), decoded_(decoded), tensors_(source.tensors()) {
    for (TensorInfo& tensor : tensors_) {
      if (tensor.shape.rows() > 1) tensor.type = decoded ? DType::kF32 : type;
    }
  }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  std::span<const std::byte> view(size_t) const override { return {}; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override {
    const TensorInfo& stored = source_.tensors()[tensor];
    if (stored.shape.rows() == 1) return source_.read_rows(tensor, first, count, out);
    std::vector<std::byte> rows(count * stored.row_bytes());
    source_.read_rows(tensor, first, count, rows);
    const auto n = static_cast<int64_t>(count * stored.shape.columns());
    std::vector<float> x(static_cast<size_t>(n));
    codec(stored.type).decode(rows.data(), n, x.data());
    std::vector<std::byte> encoded(x.size() / block_weights(type_) * block_bytes(type_));
    codec(type_).encode(x.data(), nullptr, n, Effort::kFast, encoded.data());
    if (!decoded_) {
      std::ranges::copy(encoded, out.begin());
    } else {
      codec(type_).decode(encoded.data(), n, reinterpret_cast<float*>(out.data()));
    }
  }

 private:
  const TensorSource& source_;
  DType type_;
  bool decoded_;
  std::vector<TensorInfo> tensors_;
};

// The logits of a text that is read `step` tokens at a time.
inline std::vector<float> logits_by(const ModelConfig& config, const Weights& weights,
                                    std::span<const uint32_t> ids, size_t step, int threads,
                                    KvTypes types = DType::kF16) {
  ThreadPool pool(threads);
  KvCache cache(config, static_cast<int64_t>(ids.size()), types);
  Forward forward(config, weights, pool);
  std::vector<float> all;
  for (size_t at = 0; at < ids.size(); at += step) {
    const auto part = ids.subspan(at, std::min(step, ids.size() - at));
    const auto logits = forward.run(part, cache, static_cast<int64_t>(part.size()));
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

}  // namespace nibble
