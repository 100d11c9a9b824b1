// What filters look at in each item of a container: the item, or an attribute such as "user.name".
#pragma once

#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace nibble::jinja {

class ItemPath {
 public:
  // `attribute`: none, a number, or names and numbers with dots between them.
  ItemPath(Runtime& runtime, const Value& attribute);

  // `otherwise` (unless none) stands for what is undefined on the way.
  Value follow(const Value& item, const Value& otherwise = None{}) const;

 private:
  Runtime& runtime_;
  Values parts_;
};

Value ignore_case(Runtime& runtime, const Value& value);  // strings in lower case

// `items` in the order of their keys, equal ones in the order in which they came.
Values sorted(Runtime& runtime, Values items, const Values& keys, bool reverse);

}  // namespace nibble::jinja
