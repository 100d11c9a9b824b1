#include <algorithm>
#include <array>
#include <cctype>

#include "codec/formats.h"

namespace nibble {
namespace {

struct Row {
  DType type;
  std::string_view name;
  uint32_t weights;
  uint32_t bytes;
  DType fallback;
};

constexpr auto kRows = std::to_array<Row>({
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  {DType::enumerator, name, weights, bytes, DType::fallback},
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
});

const Row& row_of(DType type) { return *std::ranges::find(kRows, type, &Row::type); }

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::string_view dtype_name(DType type) { return row_of(type).name; }
uint32_t block_weights(DType type) { return row_of(type).weights; }
uint32_t block_bytes(DType type) { return row_of(type).bytes; }
double bits_per_weight(DType type) { return 8.0 * row_of(type).bytes / row_of(type).weights; }

std::optional<DType> dtype_from_name(std::string_view name) {
  const auto row =
      std::ranges::find_if(kRows, [&](const Row& r) { return same_letters(r.name, name); });
  return row == kRows.end() ? std::nullopt : std::optional(row->type);
}

std::optional<DType> dtype_from_gguf_id(uint32_t id) {
  const auto row = std::ranges::find(kRows, static_cast<DType>(id), &Row::type);
  return row == kRows.end() ? std::nullopt : std::optional(row->type);
}

std::vector<DType> all_dtypes() {
  std::vector<DType> types;
  for (const Row& row : kRows) types.push_back(row.type);
  return types;
}

DType dtype_for_columns(DType type, uint64_t columns) {
  while (columns % block_weights(type) != 0) type = row_of(type).fallback;
  return type;
}

}  // namespace nibble
