// Reading parts of values: attributes, elements, slices, items one after another.
#pragma once

#include <optional>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

// object.name: a method or attribute of its type, otherwise object["name"]. What is not there, or
// what the sandbox keeps away (names with underscores, methods that change a value), is undefined.
Value attribute(Runtime& runtime, const Value& object, std::string_view name);

// object[key]: the element, otherwise the attribute of that name; undefined when neither is there.
Value element(Runtime& runtime, const Value& object, const Value& key);

// object[start:stop:step]; none where nothing was written.
Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop,
            const Value& step);

// What a for loop over the value walks through: items, characters of text, keys of a dict.
// A generator is empty afterwards. Error with Python's message when it cannot be iterated.
Values iterate(Runtime& runtime, const Value& value);
bool is_iterable(const Value& value);

std::optional<size_t> length(const Value& value);  // len(); nothing: the type has none

// The value of a key, nullptr: not there. Error when it cannot be one.
const Value* find_key(Runtime& runtime, const Dict& dict, const Value& key);

}  // namespace nibble::jinja
