// What a rendering has in hand: the values that it made, how much of its limits is used, and the
// line of the template that it is at.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nibble/error.h"
#include "text/jinja/limits.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

class Runtime {
 public:
  // `origin`: where the template came from; errors begin with it.
  Runtime(std::string_view origin, const Limits& limits) : origin_(origin), limits_(limits) {}

  const Limits& limits() const { return limits_; }
  int line() const { return line_; }
  void at(int line) { line_ = line; }

  // Error kInvalidFile "ORIGIN: line N: MESSAGE".
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    raise(ErrorCode::kInvalidFile, fmt::format(format, std::forward<Args>(args)...));
  }
  [[noreturn]] void raise(ErrorCode code, std::string_view message) const;

  // Counts work that is about to be done. Error when a limit is passed.
  void charge(uint64_t steps);
  void charge_bytes(size_t bytes);  // of text that is about to be made and kept

  // New values; each is charged.
  const String* text(std::string text, bool safe = false);
  const Sequence* sequence(SequenceType type, Values items);
  const Sequence* list(Values items) { return sequence(SequenceType::kList, std::move(items)); }
  const Undefined* undefined(std::string message);
  Dict* dict() { return make<Dict>(); }
  void set(Dict* dict, const Value& key, const Value& value);  // error unless it can be a key
  void set(Namespace* target, std::string_view name, const Value& value);

  template <class T, class... Args>
  T* make(Args&&... args) {
    charge(1);
    charge_bytes(sizeof(T));
    auto object = std::make_unique<T>(std::forward<Args>(args)...);
    T* result = object.get();
    objects_.push_back(std::move(object));
    return result;
  }

  // One level deeper as long as it lives. Error when that is too deep.
  class Level {
   public:
    explicit Level(Runtime& runtime) : runtime_(runtime) { runtime_.enter(); }
    ~Level() { --runtime_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Runtime& runtime_;
  };

 private:
  void enter();

  std::string origin_;
  Limits limits_;
  int line_ = 1;
  int depth_ = 0;
  uint64_t steps_ = 0;
  size_t bytes_ = 0;
  std::vector<std::unique_ptr<Object>> objects_;
};

}  // namespace nibble::jinja
