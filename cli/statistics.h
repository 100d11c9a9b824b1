// What nibble inspect shows of a file of statistics.
#pragma once

#include <filesystem>

namespace nibble::cli {

void show_statistics(const std::filesystem::path& path, bool json);

}  // namespace nibble::cli
