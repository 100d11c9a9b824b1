#include "base/json.h"

#include <set>
#include <vector>

#include "base/error.h"

namespace nibble {
namespace {

constexpr int kMaxDepth = 64;

// nlohmann's parser keeps its own stack, but a deeply nested value is destroyed recursively.
void check_depth(std::string_view text, std::string_view file_name) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c == '"') in_string = true;
    if ((c == '[' || c == '{') && ++depth > kMaxDepth) {
      fail(ErrorCode::kInvalidFile, "{}: JSON nested deeper than {} levels at byte {}", file_name,
           kMaxDepth, i);
    }
    if (c == ']' || c == '}') --depth;
  }
}

// Follows the parser through the text; open objects stand on the stack with their keys so far.
class DuplicateKeyCheck {
 public:
  explicit DuplicateKeyCheck(std::string_view file_name) : file_name_(file_name) {}

  void operator()(Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start) objects_.emplace_back();
    if (event == Json::parse_event_t::object_end) objects_.pop_back();
    if (event != Json::parse_event_t::key) return;
    if (!objects_.back().insert(parsed.get<std::string>()).second) {
      fail(ErrorCode::kInvalidFile, "{}: the key {} stands twice in one JSON object", file_name_,
           parsed.dump(-1, ' ', true));
    }
  }

 private:
  std::string_view file_name_;
  std::vector<std::set<std::string>> objects_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view file_name, DuplicateKeys duplicates) {
  check_depth(text, file_name);
  try {
    if (duplicates == DuplicateKeys::kLastWins) return Json::parse(text);
    DuplicateKeyCheck check(file_name);
    return Json::parse(text, [&check](int, Json::parse_event_t event, Json& parsed) {
      check(event, parsed);
      return true;
    });
  } catch (const Json::parse_error& error) {
    fail(ErrorCode::kInvalidFile, "{}: not valid JSON at byte {}", file_name, error.byte);
  } catch (const Json::out_of_range&) {
    fail(ErrorCode::kInvalidFile, "{}: not valid JSON: a number is too large", file_name);
  }
}

JsonObject::JsonObject(const Json& object, std::string file_name)
    : object_(&object), file_name_(std::move(file_name)) {
  if (!object.is_object()) {
    fail(ErrorCode::kInvalidFile, "{}: found a JSON {}, expected an object", file_name_,
         object.type_name());
  }
}

const Json* JsonObject::find(const char* key) const {
  const auto field = object_->find(key);
  return field == object_->end() || field->is_null() ? nullptr : &*field;
}

const Json& JsonObject::require(const char* key) const {
  if (const Json* field = find(key)) return *field;
  fail(ErrorCode::kInvalidFile, "{}: \"{}\" is missing", file_name_, key);
}

void JsonObject::fail_type(const char* key, const Json& found, const char* expected) const {
  constexpr size_t kShown = 80;
  fail(ErrorCode::kInvalidFile, "{}: \"{}\": found {}, expected {}", file_name_, key,
       found.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, kShown), expected);
}

std::optional<uint64_t> JsonObject::find_uint(const char* key) const {
  const Json* field = find(key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_number_unsigned()) fail_type(key, *field, "an integer that is not negative");
  return field->get<uint64_t>();
}

std::optional<double> JsonObject::find_float(const char* key) const {
  const Json* field = find(key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_number()) fail_type(key, *field, "a number");
  return field->get<double>();
}

std::optional<bool> JsonObject::find_bool(const char* key) const {
  const Json* field = find(key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_boolean()) fail_type(key, *field, "true or false");
  return field->get<bool>();
}

std::optional<std::string> JsonObject::find_string(const char* key) const {
  const Json* field = find(key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_string()) fail_type(key, *field, "a string");
  return field->get<std::string>();
}

uint64_t JsonObject::require_uint(const char* key) const {
  require(key);
  return *find_uint(key);
}

double JsonObject::require_float(const char* key) const {
  require(key);
  return *find_float(key);
}

std::string JsonObject::require_string(const char* key) const {
  require(key);
  return *find_string(key);
}

}  // namespace nibble
