// Models can be compared on a text when they see it as the same tokens; and the windows of it that
// they read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "eval/windows.h"
#include "flow/model.h"

namespace nibble {

// Error kUsage, naming `reference`, unless the sizes are the same.
void check_vocabulary_size(const std::filesystem::path& reference, int64_t theirs, int64_t ours);

// Error kUsage, naming `reference`, unless `ours` begin with `theirs`.
void check_same_tokens(std::span<const uint32_t> ours, std::span<const uint32_t> theirs,
                       const std::filesystem::path& reference);

// The text's tokens. Error kUsage, naming the reference, unless they are the same for both models.
std::vector<uint32_t> common_tokens(const Model::Parts& model, const Model::Parts& reference,
                                    std::string_view text);

// Error kUsage unless a window of `context` tokens has something to score, and `most` is a count.
void check_windows(int64_t context, int64_t most);

// As nibble/evaluate.h says: side by side if the stride is 0, at most `most` unless that is 0.
// Error kUsage, with what the text is called, when there is less than one.
Windows windows_for(const Model::Parts& model, std::span<const uint32_t> tokens, int64_t context,
                    int64_t most, int64_t stride = 0, std::string_view name = "the text");

}  // namespace nibble
