#include "file/mxfp4_pairs.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "codec/formats.h"
#include "file/tensor_files.h"

namespace nibble {
namespace {

constexpr uint64_t kGroup = 32, kCodes = 16, kBlock = 17;

// Of weights whose blocks and scales have these shapes.
std::optional<Shape> shape_of(const std::vector<uint64_t>& blocks,
                              const std::vector<uint64_t>& scales) {
  const bool has_codes = blocks.size() >= 3 && blocks.size() <= 4 && blocks.back() == kCodes;
  if (!has_codes || !std::ranges::equal(scales, std::span(blocks).first(blocks.size() - 1)))
    return std::nullopt;
  if (scales.back() > INT64_MAX / kGroup) return std::nullopt;
  Shape shape;
  shape.rank = static_cast<int>(scales.size());
  std::ranges::reverse_copy(scales, shape.dims.begin());
  shape.dims[0] *= kGroup;
  return checked_tensor_bytes(DType::kMXFP4, shape) ? std::optional(shape) : std::nullopt;
}

// Weight 2i + k of a group is half k of byte i there; here weights i and i + 16 share a byte.
void repack(const std::byte* codes, std::byte* block) {
  const auto weight = [&](uint64_t i) {
    const auto byte = std::to_integer<unsigned>(codes[i / 2]);
    return i % 2 == 0 ? byte & 15 : byte >> 4;
  };
  for (uint64_t i = 0; i < kCodes; ++i)
    block[i] = static_cast<std::byte>(weight(i) | weight(i + kCodes) << 4);
}

}  // namespace

std::vector<Mxfp4Pair> find_mxfp4_pairs(const std::vector<StoredTensor>& tensors) {
  constexpr std::string_view kBlocks = "_blocks", kScales = "_scales";
  std::map<std::string, const StoredTensor*> by_name;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.type == "U8") by_name[tensor.name] = &tensor;
  }
  std::vector<Mxfp4Pair> pairs;
  for (const StoredTensor& blocks : tensors) {
    if (blocks.type != "U8" || !blocks.name.ends_with(kBlocks)) continue;
    const auto stem = blocks.name.substr(0, blocks.name.size() - kBlocks.size());
    const auto scales = by_name.find(stem + std::string(kScales));
    if (scales == by_name.end()) continue;
    if (const auto shape = shape_of(blocks.shape, scales->second->shape))
      pairs.push_back({blocks, *scales->second, *shape});
  }
  return pairs;
}

void read_mxfp4_rows(const Mxfp4Pair& pair, const std::vector<std::unique_ptr<InputFile>>& files,
                     uint64_t first, uint64_t count, std::span<std::byte> out) {
  const uint64_t groups = pair.shape.columns() / kGroup, rows = pair.shape.rows();
  if (first > rows || count > rows - first || out.size() != count * groups * kBlock) {
    fail(ErrorCode::kUsage, "{}: rows {} to {} of {} wanted into {} bytes", pair.blocks.name, first,
         first + count, rows, out.size());
  }
  std::vector<std::byte> codes(count * groups * kCodes), scales(count * groups);
  files[pair.blocks.file]->read(pair.blocks.offset + first * groups * kCodes, codes);
  files[pair.scales.file]->read(pair.scales.offset + first * groups, scales);
  for (uint64_t i = 0; i < count * groups; ++i) {
    out[i * kBlock] = scales[i];
    repack(codes.data() + i * kCodes, out.data() + i * kBlock + 1);
  }
}

}  // namespace nibble
