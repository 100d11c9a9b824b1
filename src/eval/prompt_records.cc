#include "eval/prompt_records.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "eval/jsonl.h"

namespace nibble {
namespace {

TaskItems read_prompts(std::string_view text, std::string_view file,
                       const std::function<AnswerCheck(const JsonObject&)>& check) {
  return {{}, read_items<PromptItem>(text, file, [&](const JsonObject& record) {
            constexpr uint64_t kMaxTokens = 256;  // lm-evaluation-harness's max_gen_toks
            PromptItem item;
            item.id = find_label(record, "id").value_or("");
            item.group = record.find_string("group").value_or("");
            item.prompt = record.require_string("prompt");
            item.check = check(record);
            item.stops = record.find("stop") ? require_strings(record, "stop")
                                             : std::vector<std::string>{"\n\n"};
            const uint64_t tokens = record.find_uint("max_tokens").value_or(kMaxTokens);
            if (tokens == 0 || tokens > uint64_t{1} << 30) {
              fail(ErrorCode::kInvalidFile, "{}: \"max_tokens\" is {}", record.file_name(), tokens);
            }
            item.max_tokens = static_cast<int64_t>(tokens);
            return item;
          })};
}

std::vector<std::string> answers_of(const JsonObject& record) {
  const Json* answer = record.find("answer");
  if (answer == nullptr || (answer->is_array() && answer->empty()))
    fail_no_answer(record, "answer");
  if (answer->is_array()) return require_strings(record, "answer");
  return {record.require_string("answer")};
}

// Counts ("{2,5}") and references ("\\1") of more than three digits, which overflow in
// libstdc++ 12.
bool has_large_number(std::string_view pattern) {
  constexpr size_t kDigits = 3;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '{' && pattern[i] != ',' && pattern[i] != '\\') continue;
    const size_t end = std::min(pattern.find_first_not_of("0123456789", i + 1), pattern.size());
    if (end - (i + 1) > kDigits) return true;
  }
  return false;
}

// A pattern is compiled, and matched, by recursion: both are bounded (exact_match.h).
std::regex require_pattern(const JsonObject& record) {
  constexpr size_t kLongest = 500;
  const std::string pattern = record.require_string("regex");
  if (pattern.size() > kLongest || has_large_number(pattern)) {
    fail(ErrorCode::kInvalidFile,
         "{}: \"regex\" has more than {} bytes, or a count of more than three digits",
         record.file_name(), kLongest);
  }
  try {
    return std::regex(pattern, std::regex::ECMAScript);
  } catch (const std::regex_error& error) {
    fail(ErrorCode::kInvalidFile, "{}: \"regex\": {}", record.file_name(), error.what());
  }
}

AnswerCheck convert_check(const JsonObject& record) {
  AnswerCheck check;
  if (record.find("answer") != nullptr) check.answers = answers_of(record);
  if (record.find("regex") != nullptr) check.pattern = require_pattern(record);
  const Json* json = record.find("json");
  check.wants_json = json != nullptr;
  if (json != nullptr && *json != true) check.json = *json;
  if (check.answers.empty() && !check.pattern && !check.wants_json) {
    fail(ErrorCode::kInvalidFile, "{}: gives no right answer: \"answer\", \"regex\" or \"json\"",
         record.file_name());
  }
  return check;
}

}  // namespace

TaskItems read_exact(std::string_view text, std::string_view file) {
  return read_prompts(text, file, [](const JsonObject& record) {
    return AnswerCheck{answers_of(record), {}, false, {}};
  });
}

TaskItems read_checks(std::string_view text, std::string_view file) {
  return read_prompts(text, file, convert_check);
}

}  // namespace nibble
