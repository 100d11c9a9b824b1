#include "flow/model_fingerprint.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

class ModelFingerprintTest : public testing::Test {
 protected:
  std::string of(const std::vector<std::string>& contents) const {
    std::vector<std::unique_ptr<InputFile>> files;
    for (const std::string& bytes : contents) {
      files.push_back(
          std::make_unique<InputFile>(write_file(folder_ / std::to_string(files.size()), bytes)));
    }
    return model_fingerprint(files);
  }
  std::string of_one(size_t size, size_t changed) const {
    std::string bytes(size, 'a');
    if (changed < size) bytes[changed] = 'b';
    return of({bytes});
  }

  TemporaryFolder folder_;
};

constexpr size_t kNone = SIZE_MAX;
constexpr size_t kSmall = 4 << 20;
constexpr size_t kLarge = kSmall + (1 << 20);

TEST_F(ModelFingerprintTest, IsTheSameForTheSameBytesUnderAnyName) {
  TemporaryFolder other;
  std::vector<std::unique_ptr<InputFile>> renamed;
  renamed.push_back(std::make_unique<InputFile>(write_file(other / "renamed", "weights")));
  EXPECT_EQ(model_fingerprint(renamed), of({"weights"}));
}

TEST_F(ModelFingerprintTest, SeesEveryByteOfAFileOfUpTo4MiB) {
  for (const size_t changed : {size_t{0}, kSmall / 2 + 7, kSmall - 1})
    EXPECT_NE(of_one(kSmall, changed), of_one(kSmall, kNone)) << changed;
}

TEST_F(ModelFingerprintTest, SeesBothEndsAndTheSizeOfALargerFile) {
  for (const size_t changed : {size_t{0}, (size_t{64} << 10) - 1, kLarge - 1})
    EXPECT_NE(of_one(kLarge, changed), of_one(kLarge, kNone)) << changed;
  EXPECT_NE(of_one(kLarge, kNone), of_one(kLarge + 1, kNone));
}

TEST_F(ModelFingerprintTest, DoesNotReadBetweenThePieces) {
  // 63 distances of 80 KiB and a bit, pieces of 64 KiB.
  EXPECT_EQ(of_one(kLarge, 70 << 10), of_one(kLarge, kNone));
}

TEST_F(ModelFingerprintTest, KnowsWhereOneFileEndsAndTheNextBegins) {
  EXPECT_NE(of({"ab", "c"}), of({"a", "bc"}));
  EXPECT_NE(of({"", "abc"}), of({"abc"}));
}

}  // namespace
}  // namespace nibble
