// KEY=TYPE:VALUE: a user's word on one key of the metadata, as llama.cpp's --override-kv.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/metadata.h"

namespace nibble {

class KeyOverride {
 public:
  // TYPE is int, float, bool (true or false) or str. Error kUsage for text of another form.
  explicit KeyOverride(const std::string& text);

  // A key that is there keeps its type if that holds the value. Otherwise an integer becomes u32,
  // i32, u64 or i64, the first that holds it, and a float f32.
  void apply_to(Metadata& metadata) const;

 private:
  std::string key_;
  std::variant<int64_t, double, bool, std::string> value_;
};

}  // namespace nibble
