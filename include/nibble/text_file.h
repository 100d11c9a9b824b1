// Writing text.
#pragma once

#include <filesystem>
#include <string_view>

namespace nibble {

// The file appears whole or not at all; one of that name is replaced. Errors: kNoSpace, kIo.
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace nibble
