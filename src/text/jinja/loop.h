// A for loop while it runs: where it is, and what `loop` in its body tells about it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "text/jinja/value.h"

namespace nibble::jinja {

struct Loop final : Object {
 public:
  // The next item; nothing when there is none. A loop with a condition looks at it only then.
  using Next = std::function<std::optional<Value>()>;
  // Runs the body of a recursive loop over other items and gives what it prints.
  using Recurse = std::function<Value(const Value& items, int64_t depth0)>;

  // `length`: known beforehand, or counted by reading ahead when asked.
  Loop(Next next, std::optional<size_t> length, Recurse recurse, int64_t depth0)
      : next_(std::move(next)), length_(length), recurse_(std::move(recurse)), depth0_(depth0) {}

  bool advance();  // false: the loop is over
  const Value& item() const { return item_; }

  int64_t index0() const { return index0_; }
  int64_t depth0() const { return depth0_; }
  int64_t length();
  const Value* previous() const { return index0_ > 0 ? &previous_ : nullptr; }
  const Value* following();  // nullptr: this is the last item
  const Recurse& recurse() const { return recurse_; }
  const Sequence* last_changed = nullptr;  // the last arguments of loop.changed()

 private:
  bool read_ahead();

  Next next_;
  std::optional<size_t> length_;
  Recurse recurse_;
  int64_t depth0_;
  int64_t index0_ = -1;
  Value item_, previous_;
  std::deque<Value> ahead_;
};

}  // namespace nibble::jinja
