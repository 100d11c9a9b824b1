#include "text/token_trie.h"

namespace nibble {

TokenTrie::TokenTrie(const std::vector<std::string_view>& tokens) {
  size_t bytes = 0;
  for (const std::string_view token : tokens) bytes += token.size();
  edges_ = PairTable<Edge>(bytes);
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty()) continue;
    uint32_t node = 0;
    for (const char c : tokens[id]) {
      const auto byte = static_cast<uint8_t>(c);
      Edge edge = edges_.find(node, byte);
      if (edge.is_none()) {
        edge.node = static_cast<uint32_t>(ids_.size());
        ids_.push_back(kNone);
        edges_.insert(node, byte, edge);
      }
      node = edge.node;
    }
    if (ids_[node] == kNone) ids_[node] = id;
  }
}

}  // namespace nibble
