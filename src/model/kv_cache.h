// KvCache: keys and values of the positions seen so far, for one sequence.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/formats.h"
#include "kernel/kv_layout.h"
#include "model/config.h"

namespace nibble {

class KvCache {
 public:
  // type: kF16 or kF32. Error kUsage for another type or a capacity below 1; kUnsupported when it
  // does not fit memory.
  KvCache(const ModelConfig& config, int64_t capacity, DType type);

  DType type() const { return type_; }
  int64_t capacity() const { return capacity_; }  // positions
  int64_t length() const { return length_; }      // positions stored
  void set_length(int64_t length) { length_ = length; }
  uint64_t bytes() const { return f16_.size() * sizeof(uint16_t) + f32_.size() * sizeof(float); }

  // Of a layer, where layout() says. uint16_t: binary16.
  template <class Element>
  Element* keys(int64_t layer) {
    return elements<Element>() + 2 * layer * layout_.elements();
  }
  template <class Element>
  Element* values(int64_t layer) {
    return elements<Element>() + (2 * layer + 1) * layout_.elements();
  }
  const KvLayout& layout() const { return layout_; }

  // The key and the value of a position, kv_width floats each. Thread-safe for different positions.
  void store(int64_t layer, int64_t position, const float* key, const float* value);

 private:
  template <class Element>
  Element* elements();
  template <class Element>
  void store_as(int64_t layer, int64_t position, const Element* key, const Element* value);

  DType type_;
  int64_t capacity_;
  int64_t length_ = 0;
  KvLayout layout_;
  std::vector<uint16_t> f16_;
  std::vector<float> f32_;
};

template <>
inline uint16_t* KvCache::elements<uint16_t>() {
  return f16_.data();
}
template <>
inline float* KvCache::elements<float>() {
  return f32_.data();
}

}  // namespace nibble
