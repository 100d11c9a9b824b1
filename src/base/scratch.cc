#include "base/scratch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

namespace nibble {

Scratch::Scratch(const std::string& name) {
  static std::atomic<unsigned> count{0};
  path_ = std::filesystem::temp_directory_path() /
          fmt::format("nibble-{}-{}-{}", name, getpid(), count++);
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace nibble
