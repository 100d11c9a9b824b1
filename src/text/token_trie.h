// All tokens that a text begins with, shortest first.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "text/pair_table.h"

namespace nibble {

class TokenTrie {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  TokenTrie() = default;
  // Token i has id i; empty ones are left out, of equal ones the first counts.
  explicit TokenTrie(const std::vector<std::string_view>& tokens);

  // Calls use(id, bytes) for each.
  template <class Use>
  void for_each_prefix(std::string_view text, const Use& use) const {
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const Edge edge = edges_.find(node, static_cast<uint8_t>(text[i]));
      if (edge.is_none()) return;
      node = edge.node;
      if (ids_[node] != kNone) use(ids_[node], i + 1);
    }
  }

 private:
  struct Edge {
    uint32_t node = kNone;
    bool is_none() const { return node == kNone; }
  };

  PairTable<Edge> edges_;
  std::vector<uint32_t> ids_ = {kNone};  // by node
};

}  // namespace nibble
