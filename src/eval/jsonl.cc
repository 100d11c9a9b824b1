#include "eval/jsonl.h"

#include <algorithm>
#include <string>

namespace nibble {

void for_each_line(
    std::string_view text, std::string_view file,
    const std::function<void(std::string_view line, const std::string& place)>& take) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF", kBlank = " \t\r";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  bool any = false;
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(kBlank) == std::string_view::npos) continue;
    take(line, fmt::format("{}, line {}", file, number));
    any = true;
  }
  if (!any) fail(ErrorCode::kInvalidFile, "{}: has no records", file);
}

void for_each_record(std::string_view text, std::string_view file,
                     const std::function<void(const JsonObject&)>& take) {
  for_each_line(text, file, [&](std::string_view line, const std::string& place) {
    const Json json = parse_json(line, place);
    take(JsonObject(json, place));
  });
}

std::vector<std::string> require_strings(const JsonObject& record, const char* key) {
  const Json& list = record.require(key);
  const auto is_string = [](const Json& value) { return value.is_string(); };
  if (!list.is_array() || !std::ranges::all_of(list, is_string))
    fail(ErrorCode::kInvalidFile, "{}: \"{}\" is no list of strings", record.file_name(), key);
  return list.get<std::vector<std::string>>();
}

std::optional<std::string> find_label(const JsonObject& record, const char* key) {
  const Json* field = record.find(key);
  if (field == nullptr) return std::nullopt;
  if (field->is_number_integer()) return std::to_string(field->get<int64_t>());
  return record.find_string(key);
}

void fail_no_answer(const JsonObject& record, const char* key) {
  fail(ErrorCode::kInvalidFile,
       "{}: \"{}\" gives no right answer; the test split of a data set often has none, use the "
       "validation split",
       record.file_name(), key);
}

}  // namespace nibble
