// The files that llama.cpp's llama-perplexity reads tasks from. Errors: kInvalidFile, naming file
// and line, or file and offset.
#pragma once

#include <string_view>

#include "eval/task_item.h"

namespace nibble {

// --hellaswag: six lines an item,
//   context
//   number of the right ending, 0 to 3
//   four endings
TaskItems read_hellaswag_text(std::string_view text, std::string_view file);

// --winogrande: a line an item, "number,sentence with _,option 1,option 2,1 or 2". A comma in
// quotes belongs to its field; of the sentence's quotes the outer ones go.
TaskItems read_winogrande_csv(std::string_view text, std::string_view file);

// --multiple-choice (-bf), little-endian:
//   u32               items
//   u32[items]        where each begins, from the start of the file
//   item: string question, answers mc1, answers mc2
//   answers: u32 count (at most 100), string[count], i32[count] (1: right)
//   string: u32 bytes, then these
// Of the two lists of answers the first is asked. Items are read one after the other, whatever
// their places say.
TaskItems read_mc_binary(std::string_view bytes, std::string_view file);

}  // namespace nibble
