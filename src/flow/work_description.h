// What unfinished work is told apart by: everything that its bytes depend on, "name: value" a line.
#pragma once

#include <filesystem>
#include <string_view>

namespace nibble {

// Error kUsage, naming the target and the first line that is not the same, unless both are.
void check_same_work(const std::filesystem::path& target, std::string_view then,
                     std::string_view now);

}  // namespace nibble
