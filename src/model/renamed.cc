#include "model/renamed.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "codec/formats.h"

namespace nibble {
namespace {

bool is_ignored(const Arch& arch, std::string_view name) {
  return std::ranges::any_of(arch.ignored_suffixes,
                             [&](std::string_view end) { return name.ends_with(end); });
}

// Row `row` of GGUF's order is pair (row / 2), element (row % 2) of its head; the checkpoint holds
// all first elements of a head before all second ones.
uint64_t checkpoint_row(uint64_t row, uint64_t head_rows) {
  const uint64_t head = row / head_rows;
  const uint64_t within = row % head_rows;
  return head * head_rows + within % 2 * (head_rows / 2) + within / 2;
}

}  // namespace

Renamed::Renamed(const TensorSource& source, const Arch& arch, RenamedOptions options)
    : source_(source), options_(std::move(options)) {
  const auto& stored = source.tensors();
  for (size_t i = 0; i < stored.size(); ++i) {
    if (is_ignored(arch, stored[i].name)) continue;
    const auto place = place_from_hf_name(stored[i].name);
    if (!place) {
      fail(ErrorCode::kUnsupported,
           "tensor {} ({}) is not part of the architecture {} as this version knows it",
           stored[i].name, to_string(stored[i].shape), arch.name);
    }
    if (place->role == Role::kOutput && options_.tied_output) continue;
    add(stored[i], i, *place);
    const uint64_t heads = place->role == Role::kAttnQ   ? options_.heads
                           : place->role == Role::kAttnK ? options_.kv_heads
                                                         : 0;
    if (!arch.permutes_qk || heads == 0) continue;
    if (stored[i].shape.rows() % (2 * heads) != 0) {
      fail(ErrorCode::kInvalidFile,
           "tensor {} ({}): its rows cannot be divided among {} heads of an even size",
           stored[i].name, to_string(stored[i].shape), heads);
    }
    origins_.back().heads = heads;
  }
  if (!options_.rope_factors.empty()) {
    const Shape shape = {{options_.rope_factors.size(), 1, 1, 1}, 1};
    add({"", DType::kF32, shape}, 0, {Role::kRopeFreqs, 0});
    origins_.back().is_made = true;
  }
  sort_by_place();
}

void Renamed::add(const TensorInfo& stored, size_t index, TensorPlace place) {
  tensors_.push_back({gguf_name(place), stored.type, stored.shape});
  origins_.push_back({index});
  places_.push_back(place);
}

void Renamed::sort_by_place() {
  std::vector<size_t> order(tensors_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto key = [&](size_t i) {
    const bool per_layer = role_row(places_[i].role).per_layer;
    return std::tuple(per_layer ? 1 : 0, places_[i].layer, places_[i].role);
  };
  std::ranges::stable_sort(order, {}, key);
  const auto reorder = [&](auto& list) {
    auto sorted = list;
    for (size_t i = 0; i < order.size(); ++i) sorted[i] = list[order[i]];
    list = std::move(sorted);
  };
  reorder(tensors_);
  reorder(origins_);
  reorder(places_);
}

void Renamed::read_rows(size_t tensor, uint64_t first, uint64_t count,
                        std::span<std::byte> out) const {
  const Origin& origin = origins_[tensor];
  if (origin.is_made) {
    const auto bytes = view(tensor);
    std::memcpy(out.data(), bytes.data() + first * tensors_[tensor].row_bytes(), out.size());
    return;
  }
  if (origin.heads == 0) return source_.read_rows(origin.tensor, first, count, out);
  const uint64_t head_rows = tensors_[tensor].shape.rows() / origin.heads;
  const uint64_t row_bytes = tensors_[tensor].row_bytes();
  for (uint64_t i = 0; i < count; ++i) {
    source_.read_rows(origin.tensor, checkpoint_row(first + i, head_rows), 1,
                      out.subspan(i * row_bytes, row_bytes));
  }
}

std::span<const std::byte> Renamed::view(size_t tensor) const {
  const Origin& origin = origins_[tensor];
  if (origin.is_made) return std::as_bytes(std::span(options_.rope_factors));
  return origin.heads == 0 ? source_.view(origin.tensor) : std::span<const std::byte>();
}

}  // namespace nibble
