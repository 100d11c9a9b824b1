// LayerRopes: how each layer of a model turns queries and keys. Most models turn all layers alike;
// some have another base where a window is seen, some leave layers as they are, and some turn
// otherwise in long contexts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "kernel/rope.h"
#include "model/config.h"

namespace nibble {

// Divisors of frequencies that stand in tensors; empty: all 1.
struct RopeFactors {
  std::span<const float> common, long_context, short_context;
};

class LayerRopes {
 public:
  explicit LayerRopes(const ModelConfig& config, const RopeFactors& factors = {});

  enum Kind { kGlobal, kLocal, kKinds };
  // Angles of one kind serve all of its layers; std::nullopt: the layer does not turn.
  std::optional<Kind> kind_of(int64_t layer) const;
  bool has(Kind kind) const { return kind == kGlobal ? short_.has_value() : local_.has_value(); }
  // Of a sequence with room for that many positions.
  const Rope& of(Kind kind, int64_t capacity) const;

 private:
  const ModelConfig& config_;
  std::optional<Rope> short_, long_, local_;
};

}  // namespace nibble
