// What a type is expected to lose before anything is measured: figures that others published.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kernel/kv_layout.h"
#include "nibble/recommend.h"

namespace nibble {

// Of a built-in recipe, or by bits per weight of one that nobody published. Without an importance
// matrix where there is such a figure.
struct TypeLoss {
  ExpectedLoss loss;
  bool wants_importance = false;
};
TypeLoss expected_type_loss(std::string_view recipe, double bits_per_weight);

// What the types of a KV cache add.
ExpectedLoss expected_kv_loss(KvTypes kv_types);

// The recipes that have a figure, from large to small.
std::vector<std::string_view> types_with_known_loss();

// From good to small: what recommend() tries.
inline constexpr std::string_view kRecommendedKvTypes[] = {"f16", "q8_0", "q8_0/q4_0", "q4_0"};

}  // namespace nibble
