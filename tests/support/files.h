// What tests of files share: a folder that goes away, whole files as strings, errors with their
// messages, and where test data lies.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "nibble/error.h"

namespace nibble {

// A folder of its own for one test, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "nibble-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  size_t count_files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_),
                                             std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Succeeds when `action` throws an Error of that code whose message holds every fragment.
inline testing::AssertionResult fails_with(ErrorCode code,
                                           const std::vector<std::string>& fragments,
                                           const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.code() != code) {
      return testing::AssertionFailure()
             << "code " << static_cast<int>(error.code()) << ", expected " << static_cast<int>(code)
             << ": " << error.what();
    }
    for (const std::string& fragment : fragments) {
      if (std::string_view(error.what()).find(fragment) == std::string_view::npos) {
        return testing::AssertionFailure() << "no \"" << fragment << "\" in: " << error.what();
      }
    }
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "no error";
}

// A file of the repository.
inline std::filesystem::path repository_path(std::string_view name) {
  return std::filesystem::path(NIBBLE_SOURCE_DIR) / name;
}

inline const std::filesystem::path kLab7m = repository_path("assets/lab-7m");

// The files of tests/fuzz/corpus/NAME.
inline std::vector<std::filesystem::path> fuzz_seeds(std::string_view name) {
  const auto folder = repository_path("tests/fuzz/corpus") / name;
  return {std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()};
}

// The test data that is not in the repository: $NIBBLE_SHARED, else ../shared beside it.
inline std::filesystem::path shared_path(std::string_view name) {
  const char* folder = std::getenv("NIBBLE_SHARED");
  const std::filesystem::path root = folder != nullptr ? folder : repository_path("../shared");
  return root / name;
}

}  // namespace nibble

// In a test body: skips the test when shared data is absent.
#define NIBBLE_REQUIRE_SHARED(path)                                                   \
  if (!std::filesystem::exists(path)) {                                               \
    GTEST_SKIP() << "no shared test data at " << path << "; set NIBBLE_SHARED to it"; \
  }
