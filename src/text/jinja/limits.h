// What one rendering of a template may cost. Templates come with models, so they are hostile: each
// of these is an error before it is a cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nibble::jinja {

struct Limits {
  // A step: one expression or statement evaluated, one item of a list or 64 bytes of text made.
  uint64_t steps = 20'000'000;
  size_t memory_bytes = size_t{256} << 20;  // of all values that a rendering makes
  size_t output_bytes = size_t{64} << 20;   // of what it prints
  int depth = 600;                          // of evaluation: nested calls, blocks and values
  int nesting = 100;                        // of brackets and blocks in the template's text
  size_t template_bytes = size_t{4} << 20;  // of the template's text
};

constexpr int64_t kMaxRange = 100'000;  // items of one range(), the limit of Jinja's sandbox

}  // namespace nibble::jinja
