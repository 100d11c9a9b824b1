#include "file/weight_files.h"

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/error.h"
#include "codec/formats.h"
#include "file/byte_reader.h"

namespace nibble {
namespace {

struct TypeRow {
  std::string_view name;
  uint64_t bits;
  std::optional<DType> type;  // std::nullopt: kept aside
};

// The types of safetensors' reference implementation. One that is missing here is kept aside too,
// only its size cannot be checked.
constexpr auto kTypes = std::to_array<TypeRow>({
    {"F32", 32, DType::kF32},     {"F16", 16, DType::kF16},     {"BF16", 16, DType::kBF16},
    {"BOOL", 8, std::nullopt},    {"U8", 8, std::nullopt},      {"I8", 8, std::nullopt},
    {"I16", 16, std::nullopt},    {"U16", 16, std::nullopt},    {"I32", 32, std::nullopt},
    {"U32", 32, std::nullopt},    {"I64", 64, std::nullopt},    {"U64", 64, std::nullopt},
    {"F64", 64, std::nullopt},    {"C64", 64, std::nullopt},    {"F8_E4M3", 8, std::nullopt},
    {"F8_E5M2", 8, std::nullopt}, {"F8_E8M0", 8, std::nullopt}, {"F6_E2M3", 6, std::nullopt},
    {"F6_E3M2", 6, std::nullopt}, {"F4", 4, std::nullopt},
});

const TypeRow* find_type(std::string_view name) {
  const auto row = std::ranges::find(kTypes, name, &TypeRow::name);
  return row == kTypes.end() ? nullptr : &*row;
}

}  // namespace

std::optional<uint64_t> stored_type_bits(std::string_view type) {
  const TypeRow* row = find_type(type);
  return row == nullptr ? std::nullopt : std::optional(row->bits);
}

std::optional<DType> stored_dtype(std::string_view type) {
  const TypeRow* row = find_type(type);
  return row == nullptr ? std::nullopt : row->type;
}

std::optional<uint64_t> stored_bytes(std::string_view type, const std::vector<uint64_t>& shape) {
  std::optional<uint64_t> count = 1;
  for (const uint64_t dim : shape) {
    count = count ? checked_mul(*count, dim) : std::nullopt;
  }
  const auto width = stored_type_bits(type);
  const auto bits = count && width ? checked_mul(*count, *width) : std::nullopt;
  return bits && *bits % 8 == 0 ? std::optional(*bits / 8) : std::nullopt;
}

std::string find_unsupported(std::string_view type, const std::vector<uint64_t>& shape) {
  if (!stored_dtype(type)) return fmt::format("type {}", printable(type));
  if (shape.size() > Shape::kMaxRank) return fmt::format("{} dimensions", shape.size());
  return std::ranges::count(shape, 0u) > 0 ? "no elements" : "";
}

Shape shape_from_pytorch(const std::vector<uint64_t>& dims) {
  Shape shape;
  shape.rank = std::max(1, static_cast<int>(dims.size()));
  std::ranges::reverse_copy(dims, shape.dims.begin());
  return shape;
}

}  // namespace nibble
