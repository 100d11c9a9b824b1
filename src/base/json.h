// JSON from outside (nlohmann-json underneath): parsing and typed fields with errors that name file
// and field.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace nibble {

using Json = nlohmann::json;

// JSON leaves the meaning of a key that an object holds twice open.
enum class DuplicateKeys { kLastWins, kRefuse };

// Errors: kInvalidFile with the byte offset; nesting deeper than 64 levels is refused.
Json parse_json(std::string_view text, std::string_view file_name,
                DuplicateKeys duplicates = DuplicateKeys::kLastWins);

// Fields of a JSON object. A missing field and an explicit null are the same: std::nullopt. A field
// of another type is Error kInvalidFile.
class JsonObject {
 public:
  JsonObject(const Json& object,
             std::string file_name);  // Error kInvalidFile unless it is an object

  const Json* find(const char* key) const;  // nullptr: missing or null
  const Json& require(const char* key) const;
  std::optional<uint64_t> find_uint(const char* key) const;
  std::optional<double> find_float(const char* key) const;  // integers convert
  std::optional<bool> find_bool(const char* key) const;
  std::optional<std::string> find_string(const char* key) const;
  uint64_t require_uint(const char* key) const;
  double require_float(const char* key) const;
  std::string require_string(const char* key) const;
  const std::string& file_name() const { return file_name_; }
  const Json& json() const { return *object_; }

 private:
  [[noreturn]] void fail_type(const char* key, const Json& found, const char* expected) const;

  const Json* object_;
  std::string file_name_;
};

}  // namespace nibble
