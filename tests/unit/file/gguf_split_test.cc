#include "file/gguf_split.h"

#include <gtest/gtest.h>

#include <numeric>

#include "codec/formats.h"
#include "support/files.h"

namespace nibble {
namespace {

std::vector<TensorInfo> tensors_of(const std::vector<uint64_t>& rows) {
  std::vector<TensorInfo> tensors;
  for (size_t i = 0; i < rows.size(); ++i) {
    tensors.push_back({"t" + std::to_string(i), DType::kF32, {{256, rows[i], 1, 1}, 2}});
  }
  return tensors;
}

TEST(Split, ByCountFillsEachPart) {
  EXPECT_EQ(split_by_count(7, 3, false), (std::vector<size_t>{3, 3, 1}));
  EXPECT_EQ(split_by_count(7, 3, true), (std::vector<size_t>{0, 3, 3, 1}));
  EXPECT_EQ(split_by_count(6, 6, false), (std::vector<size_t>{6}));
}

TEST(Split, OfAModelWithoutTensorsIsOnePart) {
  for (const bool first_empty : {false, true}) {
    EXPECT_EQ(split_by_count(0, 3, first_empty), (std::vector<size_t>{0}));
    EXPECT_EQ(split_by_bytes({}, {}, 10000, first_empty), (std::vector<size_t>{0}));
  }
}

TEST(Split, BySizeKeepsEveryFileBelowTheLimit) {
  const auto tensors = tensors_of({10, 90, 1, 1, 50, 50, 33, 7, 100});  // of KiB
  Metadata metadata;
  metadata.set("general.name", std::string(5000, 'x'));
  for (const uint64_t limit : {105000u, 150000u, 300000u, 1000000u}) {
    for (const bool first_empty : {false, true}) {
      const auto counts = split_by_bytes(metadata, tensors, limit, first_empty);
      EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), size_t{0}), tensors.size());
      EXPECT_EQ(counts.front() == 0, first_empty) << limit;
      for (const GgufPart& part : split_into_parts("p", metadata, tensors, counts)) {
        EXPECT_LE(gguf_file_bytes(part.metadata, part.tensors), limit);
      }
    }
  }
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"t8", "alone"},
                         [&] { split_by_bytes(metadata, tensors, 100000, false); }));
}

TEST(Split, MarksPartsAsReadersExpect) {
  Metadata metadata;
  metadata.set("general.name", std::string("model"));
  metadata.set("general.alignment", uint32_t{64});
  const auto parts = split_into_parts("folder/p", metadata, tensors_of({1, 1, 1}), {0, 2, 1});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[2].path, "folder/p-00003-of-00003.gguf");
  EXPECT_TRUE(parts[0].metadata.contains("general.name"));
  EXPECT_FALSE(parts[2].metadata.contains("general.name"));
  EXPECT_TRUE(parts[2].metadata.contains("general.alignment"));
  EXPECT_EQ(std::get<uint16_t>(*parts[2].metadata.find("split.no")), 2);
  EXPECT_EQ(std::get<uint16_t>(*parts[2].metadata.find("split.count")), 3);
  EXPECT_EQ(std::get<int32_t>(*parts[2].metadata.find("split.tensors.count")), 3);
  EXPECT_EQ(parts[1].tensors.at(1).name, "t1");
}

}  // namespace
}  // namespace nibble
