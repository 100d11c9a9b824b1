#include "text/jinja/loop.h"

namespace nibble::jinja {

bool Loop::read_ahead() {
  std::optional<Value> next = next_();
  if (!next) return false;
  ahead_.push_back(*next);
  return true;
}

bool Loop::advance() {
  if (ahead_.empty() && !read_ahead()) return false;
  previous_ = item_;
  item_ = ahead_.front();
  ahead_.pop_front();
  ++index0_;
  return true;
}

int64_t Loop::length() {
  if (!length_) {
    while (read_ahead()) {
    }
    length_ = static_cast<size_t>(index0_ + 1) + ahead_.size();
  }
  return static_cast<int64_t>(*length_);
}

const Value* Loop::following() {
  if (ahead_.empty() && !read_ahead()) return nullptr;
  return &ahead_.front();
}

}  // namespace nibble::jinja
