#include "text/jinja/runtime.h"

namespace nibble::jinja {

void Runtime::raise(ErrorCode code, std::string_view message) const {
  throw Error(code, fmt::format("{}: line {}: {}", origin_, line_, message));
}

void Runtime::charge(uint64_t steps) {
  steps_ += steps;
  if (steps_ > limits_.steps) {
    fail("the template takes more than {} steps: it is not one for chats, or a hostile one",
         limits_.steps);
  }
}

void Runtime::charge_bytes(size_t bytes) {
  if (bytes > limits_.memory_bytes - bytes_) {
    fail("the template's values take more than {} MiB: it is not one for chats, or a hostile one",
         limits_.memory_bytes >> 20);
  }
  bytes_ += bytes;
  charge(bytes / 64);
}

const String* Runtime::text(std::string text, bool safe) {
  charge_bytes(text.size());
  return make<String>(std::move(text), safe);
}

const Sequence* Runtime::sequence(SequenceType type, Values items) {
  charge_bytes(items.size() * sizeof(Value));
  charge(items.size());
  return make<Sequence>(type, std::move(items));
}

const Undefined* Runtime::undefined(std::string message) {
  charge_bytes(message.size());
  return make<Undefined>(std::move(message));
}

void Runtime::set(Dict* dict, const Value& key, const Value& value) {
  if (!is_key(key)) fail("unhashable type: '{}'", type_name(key));
  // A search by comparison where the key is not text.
  charge(1 + (get_text(key) == nullptr ? dict->size() / 16 : 0));
  charge_bytes(2 * sizeof(Dict::Entry));
  dict->set(key, value);
}

void Runtime::set(Namespace* target, std::string_view name, const Value& value) {
  charge(1 + target->attributes.size() / 16);
  charge_bytes(sizeof(Value) + name.size());
  target->set(name, value);
}

void Runtime::enter() {
  if (++depth_ > limits_.depth) {
    --depth_;
    fail("the template calls or nests deeper than {} levels", limits_.depth);
  }
  charge(1);
}

}  // namespace nibble::jinja
