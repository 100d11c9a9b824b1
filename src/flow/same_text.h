// Models can be compared on a text when they see it as the same tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace nibble {

// Error kUsage, naming `reference`, unless the sizes are the same.
void check_vocabulary_size(const std::filesystem::path& reference, int64_t theirs, int64_t ours);

// Error kUsage, naming `reference`, unless `ours` begin with `theirs`.
void check_same_tokens(std::span<const uint32_t> ours, std::span<const uint32_t> theirs,
                       const std::filesystem::path& reference);

}  // namespace nibble
