// Prompts with checkable answers from JSONL. Errors as in task_records.h.
#pragma once

#include <string_view>

#include "eval/task_item.h"

namespace nibble {

// {"prompt", "answer": "..." or [...], "id"?, "stop"?: [...], "max_tokens"?}. Without "stop" an
// empty line ends the answer; without "max_tokens" there are at most 256.
TaskItems read_exact(std::string_view text, std::string_view file);

// The same with, in place of "answer" or beside it, "regex" (ECMAScript; found somewhere in the
// answer) or "json" (true: the answer begins with some JSON value; else the value that it must
// be), and "group".
TaskItems read_checks(std::string_view text, std::string_view file);

}  // namespace nibble
