// Where the tests of text/ find their files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace nibble {

inline std::filesystem::path repository_path(const std::string& name) {
  return std::filesystem::path(NIBBLE_SOURCE_DIR) / name;
}

// Data of others, which is not in the repository (TESTING.md); tests skip where it is absent.
inline std::filesystem::path shared_path(const std::string& name) {
  const char* folder = std::getenv("NIBBLE_SHARED");
  return (folder != nullptr ? std::filesystem::path(folder) : repository_path("../shared")) / name;
}

}  // namespace nibble
