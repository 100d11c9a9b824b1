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
  std::vector<Part> parts;
  for (size_t i = 0; i < stored.size(); ++i) {
    if (is_ignored(arch, stored[i].name)) continue;
    const auto found = place_from_hf_name(stored[i].name);
    if (!found) {
      fail(ErrorCode::kUnsupported,
           "{}: tensor {} ({}) is not part of the architecture {} as this version knows it",
           options_.origin, stored[i].name, to_string(stored[i].shape), arch.name);
    }
    if (found->place.role == Role::kOutput && options_.tied_output) continue;
    if (found->expert) {
      parts.push_back({found->place, *found->expert, i});
    } else {
      add_stored(i, found->place, arch);
    }
  }
  add_stacked(std::move(parts));
  if (!options_.rope_factors.empty()) {
    const Shape shape = {{options_.rope_factors.size(), 1, 1, 1}, 1};
    add({"", DType::kF32, shape}, {Role::kRopeFreqs, 0}, {});
  }
  sort_by_place();
}

void Renamed::add(TensorInfo tensor, const TensorPlace& place, Origin origin) {
  tensor.name = gguf_name(place);
  tensors_.push_back(std::move(tensor));
  origins_.push_back(std::move(origin));
  places_.push_back(place);
}

void Renamed::add_stored(size_t index, const TensorPlace& place, const Arch& arch) {
  const TensorInfo& stored = source_.tensors()[index];
  Origin origin = {{index}};
  if (arch.permutes_qk && place.role == Role::kAttnQ) origin.heads = options_.heads;
  if (arch.permutes_qk && place.role == Role::kAttnK) origin.heads = options_.kv_heads;
  if (origin.heads != 0 && stored.shape.rows() % (2 * origin.heads) != 0) {
    fail(ErrorCode::kInvalidFile,
         "{}: tensor {} ({}): its rows cannot be divided among {} heads of an even size",
         options_.origin, stored.name, to_string(stored.shape), origin.heads);
  }
  add(stored, place, std::move(origin));
}

void Renamed::add_stacked(std::vector<Part> parts) {
  const auto place_of = [](const Part& part) {
    return std::tuple(part.place.layer, part.place.role);
  };
  std::ranges::sort(parts, {},
                    [&](const Part& part) { return std::tuple(place_of(part), part.expert); });
  for (auto begin = parts.begin(); begin != parts.end();) {
    const auto end = std::find_if(
        begin, parts.end(), [&](const Part& part) { return place_of(part) != place_of(*begin); });
    Origin origin;
    for (auto part = begin; part != end; ++part) origin.parts.push_back(part->tensor);
    add(stack({begin, end}), begin->place, std::move(origin));
    begin = end;
  }
}

// `parts`: of one place, by their numbers, which names make unique.
TensorInfo Renamed::stack(std::span<const Part> parts) const {
  if (parts.size() != options_.experts || parts.back().expert + 1 != options_.experts) {
    fail(ErrorCode::kInvalidFile,
         "{}: tensor {}: found the matrices of {} experts, the last is that of number {}; expected "
         "{} (num_local_experts of config.json), numbered from 0",
         options_.origin, gguf_name(parts[0].place), parts.size(), parts.back().expert,
         options_.experts);
  }
  TensorInfo first = source_.tensors()[parts[0].tensor];
  for (const Part& part : parts) {
    const TensorInfo& stored = source_.tensors()[part.tensor];
    if (stored.shape == first.shape && stored.type == first.type && first.shape.rank == 2) continue;
    fail(ErrorCode::kInvalidFile,
         "{}: tensor {}: found {} ({}), expected a matrix like the first expert's, {} ({})",
         options_.origin, stored.name, to_string(stored.shape), dtype_name(stored.type),
         to_string(first.shape), dtype_name(first.type));
  }
  first.shape.dims[2] = parts.size();
  first.shape.rank = 3;
  return first;
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

uint64_t Renamed::rows_of_part(size_t tensor) const {
  return tensors_[tensor].shape.rows() / origins_[tensor].parts.size();
}

void Renamed::read_rows(size_t tensor, uint64_t first, uint64_t count,
                        std::span<std::byte> out) const {
  const Origin& origin = origins_[tensor];
  const uint64_t row_bytes = tensors_[tensor].row_bytes();
  if (origin.parts.empty()) {
    const auto bytes = view_rows(tensor, first, count);
    std::memcpy(out.data(), bytes.data(), out.size());
    return;
  }
  const uint64_t part_rows = rows_of_part(tensor);
  const uint64_t head_rows = origin.heads == 0 ? 0 : part_rows / origin.heads;
  for (uint64_t done = 0, rows = 0; done < count; done += rows) {
    const uint64_t row = (first + done) % part_rows;
    rows = origin.heads == 0 ? std::min(count - done, part_rows - row) : 1;
    source_.read_rows(origin.parts[(first + done) / part_rows],
                      origin.heads == 0 ? row : checkpoint_row(row, head_rows), rows,
                      out.subspan(done * row_bytes, rows * row_bytes));
  }
}

std::span<const std::byte> Renamed::view(size_t tensor) const {
  return view_rows(tensor, 0, tensors_[tensor].shape.rows());
}

std::span<const std::byte> Renamed::view_rows(size_t tensor, uint64_t first, uint64_t count) const {
  const Origin& origin = origins_[tensor];
  const uint64_t row_bytes = tensors_[tensor].row_bytes();
  if (origin.parts.empty()) {
    return std::as_bytes(std::span(options_.rope_factors))
        .subspan(first * row_bytes, count * row_bytes);
  }
  const uint64_t part_rows = rows_of_part(tensor);
  if (origin.heads != 0 || part_rows == 0 || first % part_rows + count > part_rows) return {};
  return source_.view_rows(origin.parts[first / part_rows], first % part_rows, count);
}

}  // namespace nibble
