// KvCache: keys and values of the positions seen so far, for one sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/huge_pages.h"
#include "base/threads.h"
#include "kernel/kv_layout.h"
#include "model/config.h"
#include "model/layer_ropes.h"

namespace nibble {

class KvCache {
 public:
  // Error kUsage for a type that is not one of kKvTypes or a capacity below 1; kUnsupported when
  // heads are no multiple of a type's block (32 dimensions) or the cache does not fit memory.
  KvCache(const ModelConfig& config, int64_t capacity, KvTypes types);

  int64_t capacity() const { return capacity_; }  // positions
  int64_t length() const { return length_; }      // positions stored
  void set_length(int64_t length) { length_ = length; }

  // Of a layer, where layout() says.
  const std::byte* keys(int64_t layer) const { return data_.data() + layer * layer_bytes(); }
  const std::byte* values(int64_t layer) const { return keys(layer) + layout_.key_bytes(); }
  const KvLayout& layout() const { return layout_; }

  // The key and the value of a position, kv_width floats each. Thread-safe for different positions.
  void store(int64_t layer, int64_t position, const float* key, const float* value);

  // Holds the first `length` positions of another cache, at most other.length(), instead of its
  // own; of the same model and types, with the same capacity.
  void copy_from(const KvCache& other, int64_t length);

  // Forgets positions begin .. begin + count - 1, which must be stored. Those behind them move
  // down, their keys turned to their new places, which rounds them anew; values stay as they are.
  // Both were computed when the forgotten ones were there. Error kUnsupported for models that
  // learned their positions, whose keys cannot be turned.
  void remove(int64_t begin, int64_t count, const LayerRopes& ropes, ThreadPool& pool);

 private:
  void move_down(int64_t layer, int64_t begin, int64_t count, const LayerRopes& ropes);
  int64_t layer_bytes() const { return layout_.key_bytes() + layout_.value_bytes(); }

  bool can_move_;
  int64_t layers_;
  int64_t capacity_;
  int64_t length_ = 0;
  KvLayout layout_;
  HugePages data_;
};

// The check of types that the constructor makes, with the model's name for the message.
void check_kv_types(const ModelConfig& config, KvTypes types, std::string_view model);

// Bytes of a position in all layers.
int64_t kv_bytes_per_position(const ModelConfig& config, KvTypes types);

}  // namespace nibble
