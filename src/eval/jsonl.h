// Reading items from JSONL: objects, one a line; empty lines are passed over.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace nibble {

// Calls `take` with each line that is not empty, and its place, "FILE, line N". Error kInvalidFile
// for a text without one.
void for_each_line(
    std::string_view text, std::string_view file,
    const std::function<void(std::string_view line, const std::string& place)>& take);

// Calls `take` with each object, whose file_name() is "FILE, line N". Errors: kInvalidFile for a
// line that is no object, and for a text without one.
void for_each_record(std::string_view text, std::string_view file,
                     const std::function<void(const JsonObject&)>& take);

// A field that is a list of strings; error kInvalidFile for anything else.
std::vector<std::string> require_strings(const JsonObject& record, const char* key);

// A string, or an integer as one: data sets have both for labels and names.
std::optional<std::string> find_label(const JsonObject& record, const char* key);

// Error kInvalidFile: `key` should say what is right, and does not.
[[noreturn]] void fail_no_answer(const JsonObject& record, const char* key);

// `convert` makes an item of a record; a name that it left empty becomes the number of the record,
// from 0. Error kInvalidFile for a name that stands twice.
template <class Item>
std::vector<Item> read_items(std::string_view text, std::string_view file,
                             const std::function<Item(const JsonObject&)>& convert) {
  std::vector<Item> items;
  std::set<std::string> names;
  for_each_record(text, file, [&](const JsonObject& record) {
    Item item = convert(record);
    if (item.id.empty()) item.id = std::to_string(items.size());
    if (!names.insert(item.id).second) {
      fail(ErrorCode::kInvalidFile, "{}: a second item of the name \"{}\"", record.file_name(),
           item.id);
    }
    items.push_back(std::move(item));
  });
  return items;
}

}  // namespace nibble
