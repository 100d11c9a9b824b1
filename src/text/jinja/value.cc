#include "text/jinja/value.h"

#include <algorithm>

#include "text/jinja/callable.h"
#include "text/jinja/characters.h"

namespace nibble::jinja {
namespace {

struct TypeName {
  std::string_view operator()(const Undefined*) const { return "Undefined"; }
  std::string_view operator()(None) const { return "NoneType"; }
  std::string_view operator()(bool) const { return "bool"; }
  std::string_view operator()(int64_t) const { return "int"; }
  std::string_view operator()(double) const { return "float"; }
  std::string_view operator()(const String* text) const { return text->safe ? "Markup" : "str"; }
  std::string_view operator()(const Sequence* sequence) const {
    static constexpr std::string_view kNames[] = {
        "list", "tuple", "range", "generator", "dict_keys", "dict_values", "dict_items"};
    return kNames[static_cast<size_t>(sequence->type)];
  }
  std::string_view operator()(const Dict*) const { return "dict"; }
  std::string_view operator()(Namespace*) const { return "Namespace"; }
  std::string_view operator()(const Callable* callable) const { return callable->type_name(); }
  std::string_view operator()(Loop*) const { return "LoopContext"; }
};

bool is_scalar(const Value& value) {
  return is_none(value) || is_number(value) || get_text(value) != nullptr;
}

}  // namespace

String::String(std::string value, bool is_safe)
    : text(std::move(value)), length(count_characters(text)), safe(is_safe) {}

size_t Dict::position(const Value& key) const {
  if (const String* text = get_text(key)) {
    const auto found = texts_.find(text->text);
    return found == texts_.end() ? entries_.size() : found->second;
  }
  if (entries_.size() == texts_.size()) return entries_.size();
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return equal_keys(entry.first, key); });
  return static_cast<size_t>(found - entries_.begin());
}

const Value* Dict::find(std::string_view key) const {
  const auto found = texts_.find(key);
  return found == texts_.end() ? nullptr : &entries_[found->second].second;
}

const Value* Dict::find(const Value& key) const {
  const size_t at = position(key);
  return at == entries_.size() ? nullptr : &entries_[at].second;
}

void Dict::set(const Value& key, const Value& value) {
  const size_t at = position(key);
  if (at < entries_.size()) {
    entries_[at].second = value;
    return;
  }
  if (const String* text = get_text(key)) texts_.emplace(text->text, at);
  entries_.emplace_back(key, value);
}

const Value* Namespace::find(std::string_view name) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  return found == attributes.end() ? nullptr : &found->second;
}

void Namespace::set(std::string_view name, const Value& value) {
  if (const Value* found = find(name)) {
    *const_cast<Value*>(found) = value;
  } else {
    attributes.emplace_back(name, value);
  }
}

std::string_view type_name(const Value& value) { return std::visit(TypeName{}, value); }

bool is_true(const Value& value) {
  struct Truth {
    bool operator()(const Undefined*) const { return false; }
    bool operator()(None) const { return false; }
    bool operator()(bool b) const { return b; }
    bool operator()(int64_t i) const { return i != 0; }
    bool operator()(double f) const { return f != 0; }
    bool operator()(const String* text) const { return text->length != 0; }
    bool operator()(const Sequence* sequence) const {
      return sequence->type == SequenceType::kGenerator || !sequence->items.empty();
    }
    bool operator()(const Dict* dict) const { return dict->size() != 0; }
    bool operator()(Namespace*) const { return true; }
    bool operator()(const Callable*) const { return true; }
    bool operator()(Loop*) const { return true; }
  };
  return std::visit(Truth{}, value);
}

bool is_number(const Value& value) {
  return std::holds_alternative<bool>(value) || std::holds_alternative<int64_t>(value) ||
         std::holds_alternative<double>(value);
}

bool equal_scalars(const Value& a, const Value& b) {
  int64_t i = 0, j = 0;
  if (to_int(a, i) && to_int(b, j)) return i == j;
  double x = 0, y = 0;
  if (to_float(a, x) && to_float(b, y)) return x == y;
  if (a.index() != b.index()) return false;
  const String* text = get_text(a);
  return text == nullptr || text->text == get_text(b)->text;
}

bool is_key(const Value& value) {
  const Sequence* tuple = get_sequence(value, SequenceType::kTuple);
  if (tuple == nullptr) return is_scalar(value);
  return std::all_of(tuple->items.begin(), tuple->items.end(), is_scalar);
}

bool equal_keys(const Value& a, const Value& b) {
  const Sequence* first = as<Sequence>(a);
  const Sequence* second = as<Sequence>(b);
  if (first == nullptr || second == nullptr) return first == second && equal_scalars(a, b);
  return std::equal(first->items.begin(), first->items.end(), second->items.begin(),
                    second->items.end(), equal_scalars);
}

const Sequence* get_sequence(const Value& value, SequenceType type) {
  const Sequence* sequence = as<Sequence>(value);
  return sequence != nullptr && sequence->type == type ? sequence : nullptr;
}

bool to_int(const Value& value, int64_t& result) {
  if (const bool* b = std::get_if<bool>(&value)) {
    result = *b ? 1 : 0;
    return true;
  }
  if (const int64_t* i = get_int(value)) {
    result = *i;
    return true;
  }
  return false;
}

bool to_float(const Value& value, double& result) {
  int64_t integer = 0;
  if (to_int(value, integer)) {
    result = static_cast<double>(integer);
    return true;
  }
  if (const double* f = std::get_if<double>(&value)) {
    result = *f;
    return true;
  }
  return false;
}

}  // namespace nibble::jinja
