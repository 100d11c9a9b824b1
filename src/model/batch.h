// What goes through a model at once: the next tokens of one or more sequences.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/kv_cache.h"

namespace nibble {

// The next tokens of a sequence.
struct ForwardPart {
  std::span<const uint32_t> tokens;  // at least one; below vocab_size, and they fit the cache
  KvCache* cache;                    // of this sequence, in no other part
  int64_t wanted;                    // how many of the last tokens' logits are asked for
};

// A token's row in the batch, and where it belongs.
struct TokenPlace {
  KvCache* cache;
  int64_t position;
};

// Makes room for `size` floats, which are kept between calls.
inline void grow(std::vector<float>& buffer, int64_t size) {
  if (buffer.size() < static_cast<size_t>(size)) buffer.resize(static_cast<size_t>(size));
}

}  // namespace nibble
