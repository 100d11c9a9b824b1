// SHA-256 and XXH64 against published values.
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "base/xxh64.h"
#include "support/files.h"

namespace nibble {
namespace {

// FIPS 180-4, examples of NIST.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(hex(sha256(bytes_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, BeginsAnewAfterADigest) {
  Sha256 hash;
  hash.update(bytes_of("something else"));
  hash.finish();
  hash.update(bytes_of("a"));
  hash.update(bytes_of("bc"));
  EXPECT_EQ(hash.finish(), sha256(bytes_of("abc")));
}

// By libxxhash 0.8.1, for lengths on both sides of every step of the algorithm.
TEST(Xxh64, GivesTheDigestsOfTheReference) {
  std::string text;
  for (int i = 0; i < 101; ++i) text += static_cast<char>(i * 7 + 1);
  const auto digest = [&](size_t length) { return xxh64(bytes_of(text).first(length)); };
  EXPECT_EQ(digest(0), 0xef46db3751d8e999u);
  EXPECT_EQ(digest(1), 0x8a4127811b21e730u);
  EXPECT_EQ(digest(3), 0xb6e6c910c2fd373au);
  EXPECT_EQ(digest(4), 0x22eda2cf6af4c124u);
  EXPECT_EQ(digest(7), 0x34084d91a233a751u);
  EXPECT_EQ(digest(8), 0xc6f1803a5e0b3222u);
  EXPECT_EQ(digest(13), 0xdfced2d95e03c38eu);
  EXPECT_EQ(digest(31), 0x6ab1c40e29f50073u);
  EXPECT_EQ(digest(32), 0x5a0756fbe9ecd3d1u);
  EXPECT_EQ(digest(33), 0xdc50cdc37bb9c183u);
  EXPECT_EQ(digest(64), 0x90083da9cdb9d795u);
  EXPECT_EQ(digest(101), 0x6bf452176f29bc13u);
}

TEST(Xxh64, DoesNotDependOnHowTheBytesCome) {
  const std::string text(1000, 'x');
  for (const size_t step : {1u, 5u, 31u, 32u, 33u, 999u}) {
    Xxh64 hash;
    for (size_t i = 0; i < text.size(); i += step) {
      hash.update(bytes_of(std::string_view(text).substr(i, step)));
    }
    EXPECT_EQ(hash.finish(), xxh64(bytes_of(text))) << step;
  }
}

}  // namespace
}  // namespace nibble
