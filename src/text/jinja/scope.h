// The names of a part of a template: the whole, the body of a macro, one turn of a loop.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "text/jinja/value.h"

namespace nibble::jinja {

class Scope {
 public:
  explicit Scope(std::shared_ptr<const Scope> parent) : parent_(std::move(parent)) {}

  // Of this scope or the nearest around it; nullptr: none has it.
  const Value* find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
      const auto found = scope->values_.find(name);
      if (found != scope->values_.end()) return &found->second;
    }
    return nullptr;
  }
  // `name` must live as long as the scope: names belong to the tree or to the rendering.
  void set(std::string_view name, const Value& value) { values_[name] = value; }

 private:
  std::shared_ptr<const Scope> parent_;
  std::unordered_map<std::string_view, Value> values_;
};

using ScopePointer = std::shared_ptr<Scope>;

}  // namespace nibble::jinja
