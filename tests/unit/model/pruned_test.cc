// Models without some of their layers.
#include "model/pruned.h"

#include <gtest/gtest.h>

#include <numeric>

#include "codec/formats.h"
#include "support/files.h"

namespace nibble {
namespace {

// One row of 4 weights a tensor, all of them the tensor's number.
class Numbered final : public TensorSource {
 public:
  explicit Numbered(const std::vector<std::string>& names) {
    for (const auto& name : names) tensors_.push_back({name, DType::kF32, {{4, 1, 1, 1}, 2}});
  }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t tensor, uint64_t, uint64_t, std::span<std::byte> out) const override {
    std::ranges::fill(out, static_cast<std::byte>(tensor));
  }
  std::span<const std::byte> view(size_t) const override { return {}; }

 private:
  std::vector<TensorInfo> tensors_;
};

TEST(Pruned, NumbersTheOtherLayersAnew) {
  const Numbered source({"token_embd.weight", "blk.0.a", "blk.1.a", "blk.2.a", "blk.10.a"});
  const Pruned pruned(source, PrunedLayers({2, 0}, 11));
  std::vector<std::string> names;
  for (const auto& tensor : pruned.tensors()) names.push_back(tensor.name);
  EXPECT_EQ(names, (std::vector<std::string>{"token_embd.weight", "blk.0.a", "blk.8.a"}));
  std::vector<std::byte> row(16);
  pruned.read_rows(2, 0, 1, row);
  EXPECT_EQ(row[0], std::byte{4});
}

TEST(Pruned, LeavesNamesThatOnlyLookLikeLayers) {
  const PrunedLayers layers({0, 1}, 4);
  EXPECT_EQ(layers.rename("blk.01.a"), "blk.01.a");
  EXPECT_EQ(layers.rename("blk.x.a"), "blk.x.a");
  EXPECT_EQ(layers.rename("blk.99999999999999999999999.a"), "blk.99999999999999999999999.a");
  EXPECT_EQ(layers.rename("v.blk.0.a"), "v.blk.0.a");
  EXPECT_EQ(layers.rename("blk.1.a"), std::nullopt);
}

TEST(Pruned, TakesTheLayersFromTheMetadata) {
  Metadata metadata;
  metadata.set("x.block_count", uint32_t{4});
  metadata.set("x.heads", MetadataArray{std::vector<uint32_t>{10, 11, 12, 13}});
  metadata.set("x.sections", MetadataArray{std::vector<uint32_t>{1, 2, 3}});
  metadata.set("x.rope.dimension_sections", MetadataArray{std::vector<uint32_t>{16, 24, 24, 0}});
  metadata.set("x.classifier.output_labels",
               MetadataArray{std::vector<std::string>{"a", "b", "c", "d"}});
  metadata.set("other", MetadataArray{std::vector<uint32_t>{1, 2, 3, 4}});
  PrunedLayers({1, 3, 3}, 4).apply_to(metadata, "x");
  EXPECT_EQ(metadata.find_uint("x.block_count"), 2u);
  EXPECT_EQ(*metadata.find_array<uint32_t>("x.heads"), (std::vector<uint32_t>{10, 12}));
  EXPECT_EQ(metadata.find_array<uint32_t>("x.sections")->size(), 3u);
  EXPECT_EQ(metadata.find_array<uint32_t>("x.rope.dimension_sections")->size(), 4u);
  EXPECT_EQ(metadata.find_array<std::string>("x.classifier.output_labels")->size(), 4u);
  EXPECT_EQ(metadata.find_array<uint32_t>("other")->size(), 4u);
}

TEST(Pruned, RefusesLayersThatAreNotThereAndAllOfThem) {
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"layer 4", "4 layers"}, [] { PrunedLayers({4}, 4); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"all 2 layers"}, [] { PrunedLayers({0, 1, 0}, 2); }));
}

}  // namespace
}  // namespace nibble
