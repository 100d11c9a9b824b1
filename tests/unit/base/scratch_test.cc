#include "base/scratch.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

namespace nibble {
namespace {

TEST(Scratch, IsGoneWithTheObjectWhateverWasMadeOfIt) {
  std::optional<Scratch> file("file"), folder("folder"), nothing("nothing");
  const auto file_path = file->path(), folder_path = folder->path();
  EXPECT_NE(file_path, folder_path);
  EXPECT_FALSE(std::filesystem::exists(file_path));
  std::ofstream(file_path) << "text";
  std::filesystem::create_directories(folder_path / "inside");
  std::ofstream(folder_path / "inside" / "a") << "text";
  EXPECT_TRUE(std::filesystem::exists(file_path));
  file.reset();
  folder.reset();
  nothing.reset();
  EXPECT_FALSE(std::filesystem::exists(file_path));
  EXPECT_FALSE(std::filesystem::exists(folder_path));
}

TEST(Scratch, TwoOfOneNameAreTwoPlaces) {
  const Scratch one("same"), other("same");
  EXPECT_NE(one.path(), other.path());
  EXPECT_NE(one.path().filename().string().find("nibble-same-"), std::string::npos);
}

}  // namespace
}  // namespace nibble
