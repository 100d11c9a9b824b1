#include "eval/stock_files.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/parse_number.h"
#include "eval/task_text.h"
#include "file/byte_reader.h"

namespace nibble {
namespace {

// An end of the file without a line end ends its last line.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    if (lines.back().ends_with('\r')) lines.back().remove_suffix(1);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

constexpr size_t kFields = 5;

// The first four commas outside quotes part the fields; what follows belongs to the last.
std::optional<std::array<std::string_view, kFields>> split_fields(std::string_view line) {
  std::array<std::string_view, kFields> fields;
  size_t field = 0, begin = 0;
  bool is_quoted = false;
  for (size_t i = 0; i < line.size() && field + 1 < kFields; ++i) {
    if (line[i] == '"') is_quoted = !is_quoted;
    if (line[i] != ',' || is_quoted) continue;
    fields[field++] = line.substr(begin, i - begin);
    begin = i + 1;
  }
  if (field + 1 < kFields) return std::nullopt;
  fields.back() = line.substr(begin);
  return fields;
}

std::string_view without_quotes(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

ChoiceItem winogrande_item(const std::array<std::string_view, kFields>& fields,
                           const std::string& place) {
  ChoiceItem item;
  const std::string_view sentence = without_quotes(fields[1]);
  const size_t gap = sentence.find('_');
  if (gap == std::string_view::npos)
    fail(ErrorCode::kInvalidFile, "{}: the sentence has no _ where an option belongs", place);
  for (const std::string_view option : {fields[2], fields[3]})
    item.choices.push_back(fmt::format("{}{}", sentence.substr(0, gap), option));
  item.delimiter = "";
  item.ending = sentence.substr(gap + 1);
  if (item.ending.empty()) fail(ErrorCode::kInvalidFile, "{}: nothing follows the _", place);
  const auto answer = parse_number<size_t>(strip(fields[4]));
  if (!answer || *answer < 1 || *answer > 2) {
    fail(ErrorCode::kInvalidFile, "{}: the answer is {}, expected 1 or 2", place,
         printable(fields[4]));
  }
  item.right = {*answer - 1};
  return item;
}

std::string read_string(ByteReader& in) {
  const auto bytes = in.read<uint32_t>();
  in.require_items(bytes, 1);
  std::string text(bytes, '\0');
  in.read_into(std::span(text));
  return text;
}

// The answers and which are right.
void read_answers(ByteReader& in, std::vector<std::string>& answers, std::vector<size_t>& right) {
  constexpr uint32_t kMost = 100;
  const auto count = in.read<uint32_t>();
  if (count > kMost)
    in.fail_here(ErrorCode::kInvalidFile, "found {} answers, expected {} at most", count, kMost);
  for (uint32_t i = 0; i < count; ++i) answers.push_back(read_string(in));
  for (uint32_t i = 0; i < count; ++i) {
    if (in.read<int32_t>() == 1) right.push_back(i);
  }
}

ChoiceItem read_binary_item(ByteReader& in) {
  ChoiceItem item;
  item.context = read_string(in);
  read_answers(in, item.choices, item.right);
  std::vector<std::string> other_answers;
  std::vector<size_t> other_right;
  read_answers(in, other_answers, other_right);
  const bool is_whole = !item.context.empty() &&
                        std::ranges::none_of(item.choices, [](auto& text) { return text.empty(); });
  if (!is_whole || item.choices.size() < 2 || item.right.empty()) {
    in.fail_here(ErrorCode::kInvalidFile,
                 "an item ends here that is no question with two or more answers, one of them "
                 "right");
  }
  return item;
}

}  // namespace

TaskItems read_hellaswag_text(std::string_view text, std::string_view file) {
  constexpr size_t kLines = 6;
  const auto lines = split_lines(text);
  if (lines.empty() || lines.size() % kLines != 0) {
    fail(ErrorCode::kInvalidFile, "{}: has {} lines, expected {} for each item", file, lines.size(),
         kLines);
  }
  TaskItems items;
  for (size_t i = 0; i < lines.size(); i += kLines) {
    ChoiceItem& item = items.choices.emplace_back();
    item.id = std::to_string(i / kLines);
    item.context = lines[i];
    item.choices.assign(lines.begin() + static_cast<ptrdiff_t>(i) + 2,
                        lines.begin() + static_cast<ptrdiff_t>(i + kLines));
    const auto answer = parse_number<size_t>(strip(lines[i + 1]));
    if (!answer || *answer >= item.choices.size()) {
      fail(ErrorCode::kInvalidFile, "{}, line {}: found {}, expected the right ending, 0 to 3",
           file, i + 2, printable(lines[i + 1]));
    }
    item.right = {*answer};
  }
  return items;
}

TaskItems read_winogrande_csv(std::string_view text, std::string_view file) {
  TaskItems items;
  size_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    const std::string place = fmt::format("{}, line {}", file, ++number);
    if (strip(line).empty()) continue;
    const auto fields = split_fields(line);
    if (!fields) {
      fail(ErrorCode::kInvalidFile,
           "{}: expected five fields: number, sentence, option 1, option 2, answer", place);
    }
    ChoiceItem item = winogrande_item(*fields, place);
    item.id = std::to_string(items.choices.size());
    items.choices.push_back(std::move(item));
  }
  if (items.choices.empty()) fail(ErrorCode::kInvalidFile, "{}: has no items", file);
  return items;
}

TaskItems read_mc_binary(std::string_view bytes, std::string_view file) {
  ByteReader in(std::as_bytes(std::span(bytes)), std::string(file));
  in.set_field("number of items");
  const auto count = in.read<uint32_t>();
  if (count == 0) in.fail_here(ErrorCode::kInvalidFile, "there are none");
  in.require_items(count, sizeof(uint32_t));
  for (uint32_t i = 0; i < count; ++i) in.read<uint32_t>();
  TaskItems items;
  for (uint32_t i = 0; i < count; ++i) {
    in.set_field(fmt::format("item {}", i));
    items.choices.push_back(read_binary_item(in));
    items.choices.back().id = std::to_string(i);
  }
  return items;
}

}  // namespace nibble
