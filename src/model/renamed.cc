#include "model/renamed.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "codec/codec.h"
#include "codec/formats.h"
#include "file/quantized_weights.h"

namespace nibble {
namespace {

bool is_transposed(Take take) {
  return take == Take::kTransposed || take == Take::kTransposedEven || take == Take::kTransposedOdd;
}

// Of a layer that predicts the token after the next one: DeepSeek-V3 has such behind the others.
bool is_of_later_layer(std::string_view name, uint64_t layers) {
  const auto layer = split_layer(name, "model.layers.").layer;
  return layers > 0 && layer && *layer >= layers;
}

}  // namespace

bool is_ignored(const Arch& arch, std::string_view name) {
  return std::ranges::any_of(arch.ignored_suffixes,
                             [&](std::string_view end) { return name.ends_with(end); }) ||
         std::ranges::any_of(arch.ignored_prefixes,
                             [&](std::string_view begin) { return name.starts_with(begin); });
}

Renamed::Renamed(const TensorSource& source, const Arch& arch, RenamedOptions options)
    : source_(source), options_(std::move(options)) {
  const auto& stored = source.tensors();
  std::vector<Part> parts;
  for (size_t i = 0; i < stored.size(); ++i) {
    if (is_ignored(arch, stored[i].name)) continue;
    if (is_of_later_layer(stored[i].name, options_.layers)) continue;
    const bool is_scale = stored[i].name.ends_with(kMatrixScale);
    const auto places = places_from_hf_name(
        std::string_view(stored[i].name)
            .substr(0, stored[i].name.size() - (is_scale ? kMatrixScale.size() : 0)),
        arch.names);
    if (places.empty()) {
      fail(ErrorCode::kUnsupported,
           "{}: tensor {} ({}) is not part of the architecture {} as this version knows it",
           options_.origin, stored[i].name, to_string(stored[i].shape), arch.name);
    }
    for (CheckpointPlace found : places) {
      if (found.place.role == Role::kOutput && options_.tied_output) continue;
      if (is_scale) found.place.scale = MatrixScale::kProduct;
      if (found.expert) {
        parts.push_back({found.place, *found.expert, found.take, i});
      } else if (is_scale) {
        add_scale(i, found.place);
      } else {
        add_stored(i, found, arch);
      }
    }
  }
  add_stacked(std::move(parts), arch);
  add_made();
  sort_by_place();
}

void Renamed::add(TensorInfo tensor, const TensorPlace& place, Origin origin) {
  tensor.name = gguf_name(place);
  tensors_.push_back(std::move(tensor));
  origins_.push_back(std::move(origin));
  places_.push_back(place);
}

void Renamed::add_made() {
  for (size_t i = 0; i < options_.made.size(); ++i) {
    const auto& [role, floats] = options_.made[i];
    add({"", DType::kF32, {{floats.size(), 1, 1, 1}, 1}}, {role}, {.parts = {}, .made = i});
  }
}

void Renamed::add_scale(size_t index, const TensorPlace& place) {
  add(source_.tensors()[index], place, {.parts = {index}});
}

void Renamed::add_stored(size_t index, const CheckpointPlace& from, const Arch& arch) {
  TensorInfo tensor = source_.tensors()[index];
  if (tensor.shape.rank > 3) {
    fail(ErrorCode::kUnsupported, "{}: tensor {} ({}) has {} dimensions, expected at most 3",
         options_.origin, tensor.name, to_string(tensor.shape), tensor.shape.rank);
  }
  Origin origin = {.parts = {index}};
  const RoleKind kind = role_row(from.place.role).kind;
  const bool is_vector = tensor.shape.rank == 1 || from.place.is_bias;
  if (from.take == Take::kHeadKeys) {
    take_head_keys(tensor, origin);
  } else if (is_transposed(from.take) && !is_vector) {
    transpose(from, tensor, origin);
  } else {
    auto [rows, row] = rows_taken(tensor, from, row_options(arch));
    origin.row = std::move(row);
    origin.by_element = is_vector && origin.row;
    if (is_vector) {
      tensor.shape.dims[0] = rows / tensor.shape.rows();
    } else {
      tensor.shape.dims[1] = rows / tensor.shape.dims[2];
    }
  }
  if (from.take == Take::kHeadValues) {
    tensor.shape = {{tensor.shape.columns(), options_.value_rows, options_.heads, 1}, 3};
  }
  if (kind == RoleKind::kVector && tensor.shape.rows() == 1) tensor.shape.rank = 1;
  if (arch.norms_lack_one && kind == RoleKind::kVector && !from.place.is_bias &&
      role_row(from.place.role).name.ends_with("norm")) {
    origin.lacks_one = true;
    tensor.type = DType::kF32;
  }
  add(std::move(tensor), from.place, std::move(origin));
}

RowOptions Renamed::row_options(const Arch& arch) const {
  return {options_.heads, options_.kv_heads, options_.value_rows, arch.permutes_qk,
          options_.origin};
}

// A matrix for each head, with a row for each column of what makes its key.
void Renamed::take_head_keys(TensorInfo& tensor, Origin& origin) const {
  const uint64_t rows = tensor.shape.rows();
  const uint64_t head = options_.heads == 0 ? 0 : rows / options_.heads;
  if (head == 0 || rows % options_.heads != 0 || options_.value_rows >= head ||
      block_weights(tensor.type) != 1) {
    fail_to_divide(tensor, fmt::format("{} heads with keys", options_.heads), options_.origin);
  }
  origin.column_step = 1;
  origin.matrix_rows = head;
  tensor.shape = {{head - options_.value_rows, tensor.shape.columns(), options_.heads, 1}, 3};
}

void Renamed::transpose(const CheckpointPlace& from, TensorInfo& tensor, Origin& origin) const {
  auto& [columns, rows, matrices, ignored] = tensor.shape.dims;
  origin.column_step = from.take == Take::kTransposed ? 1 : 2;
  origin.first_column = from.take == Take::kTransposedOdd ? 1 : 0;
  if (columns % origin.column_step != 0) fail_to_divide(tensor, "two halves", options_.origin);
  std::swap(columns, rows);
  rows /= origin.column_step;
}

void Renamed::add_stacked(std::vector<Part> parts, const Arch& arch) {
  const auto place_of = [](const Part& part) {
    return std::tuple(part.place.layer, part.place.role, part.place.is_bias, part.place.scale);
  };
  std::ranges::sort(parts, {},
                    [&](const Part& part) { return std::tuple(place_of(part), part.expert); });
  for (auto begin = parts.begin(); begin != parts.end();) {
    const auto end = std::find_if(
        begin, parts.end(), [&](const Part& part) { return place_of(part) != place_of(*begin); });
    Origin origin;
    for (auto part = begin; part != end; ++part) origin.parts.push_back(part->tensor);
    TensorInfo tensor = stack({begin, end});
    origin.in_one_row = begin->place.is_scale();
    if (tensor.shape.rank == 3) {
      auto [rows, row] = rows_taken(source_.tensors()[begin->tensor],
                                    {begin->place, {}, begin->take}, row_options(arch));
      tensor.shape.dims[1] = rows;
      origin.row = std::move(row);
    }
    add(std::move(tensor), begin->place, std::move(origin));
    begin = end;
  }
}

// `parts`: of one place, by their numbers, which names make unique. Vectors become rows, as many as
// there are; matrices are those of experts.
TensorInfo Renamed::stack(std::span<const Part> parts) const {
  TensorInfo first = source_.tensors()[parts[0].tensor];
  const bool is_stacked = role_row(parts[0].place.role).is_stacked();
  const bool is_scale = parts[0].place.is_scale();
  const int rank = is_stacked && !is_scale ? 2 : 1;
  const uint64_t count = is_stacked ? options_.experts : parts.size();
  if (parts.size() != count || parts.back().expert + 1 != count) {
    fail(ErrorCode::kInvalidFile,
         "{}: tensor {}: found the matrices of {} experts, the last is that of number {}; expected "
         "{} (num_local_experts of config.json), numbered from 0",
         options_.origin, gguf_name(parts[0].place), parts.size(), parts.back().expert, count);
  }
  for (const Part& part : parts) {
    const TensorInfo& stored = source_.tensors()[part.tensor];
    if (stored.shape == first.shape && stored.type == first.type && first.shape.rank == rank)
      continue;
    fail(ErrorCode::kInvalidFile,
         "{}: tensor {}: found {} ({}), expected a matrix like the first expert's, {} ({})",
         options_.origin, stored.name, to_string(stored.shape), dtype_name(stored.type),
         to_string(first.shape), dtype_name(first.type));
  }
  if (is_scale) {
    first.shape = {{parts.size(), 1, 1, 1}, 1};
    return first;
  }
  first.shape.dims[static_cast<size_t>(rank)] = parts.size();
  first.shape.rank = rank + 1;
  return first;
}

void Renamed::sort_by_place() {
  std::vector<size_t> order(tensors_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto key = [&](size_t i) {
    const bool per_layer = role_row(places_[i].role).per_layer;
    return std::tuple(per_layer ? 1 : 0, places_[i].layer, places_[i].role, places_[i].is_bias,
                      places_[i].scale);
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
  const auto twice = std::ranges::adjacent_find(places_);
  if (twice != places_.end()) {
    fail(ErrorCode::kInvalidFile, "{}: two tensors are {}", options_.origin, gguf_name(*twice));
  }
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
  if (origin.lacks_one) return read_plus_one(origin, first, count, row_bytes, out);
  if (origin.column_step > 0) return read_transposed(tensor, first, count, out);
  if (origin.in_one_row) return read_side_by_side(origin, out);
  if (origin.by_element)
    return read_elements(origin, first * tensors_[tensor].shape.columns(), out);
  const uint64_t part_rows = rows_of_part(tensor);
  for (uint64_t done = 0, rows = 0; done < count; done += rows) {
    const uint64_t row = (first + done) % part_rows;
    const uint64_t from = origin.row ? origin.row(row) : row;
    rows = origin.row ? 1 : std::min(count - done, part_rows - row);
    while (origin.row && done + rows < count && row + rows < part_rows &&
           origin.row(row + rows) == from + rows)
      ++rows;
    source_.read_rows(origin.parts[(first + done) / part_rows], from, rows,
                      out.subspan(done * row_bytes, rows * row_bytes));
  }
}

void Renamed::read_side_by_side(const Origin& origin, std::span<std::byte> out) const {
  const uint64_t size = out.size() / origin.parts.size();
  for (size_t i = 0; i < origin.parts.size(); ++i)
    source_.read_rows(origin.parts[i], 0, 1, out.subspan(i * size, size));
}

// Of vectors, whose elements are mapped as rows are.
void Renamed::read_elements(const Origin& origin, uint64_t first, std::span<std::byte> out) const {
  const TensorInfo& stored = source_.tensors()[origin.parts.front()];
  const uint64_t size = block_bytes(stored.type);
  std::vector<std::byte> bytes(stored.bytes());
  source_.read_rows(origin.parts.front(), 0, stored.shape.rows(), bytes);
  for (uint64_t i = 0; i < out.size() / size; ++i)
    std::memcpy(out.data() + i * size, bytes.data() + origin.row(first + i) * size, size);
}

// Matrix by matrix, of each every stored row once.
void Renamed::read_transposed(size_t tensor, uint64_t first, uint64_t count,
                              std::span<std::byte> out) const {
  const Origin& origin = origins_[tensor];
  const TensorInfo& info = tensors_[tensor];
  const TensorInfo& stored = source_.tensors()[origin.parts.front()];
  const uint64_t size = block_bytes(stored.type);
  const uint64_t rows = info.shape.dims[1], columns = info.shape.columns();
  const uint64_t matrix_rows = origin.matrix_rows > 0 ? origin.matrix_rows : columns;
  std::vector<std::byte> row(stored.row_bytes());
  for (uint64_t done = 0, step = 0; done < count; done += step) {
    const uint64_t matrix = (first + done) / rows, begin = (first + done) % rows;
    step = std::min(count - done, rows - begin);
    for (uint64_t c = 0; c < columns; ++c) {
      source_.read_rows(origin.parts.front(), matrix * matrix_rows + c, 1, row);
      for (uint64_t r = 0; r < step; ++r) {
        const uint64_t from = origin.first_column + (begin + r) * origin.column_step;
        std::memcpy(out.data() + ((done + r) * columns + c) * size, row.data() + from * size, size);
      }
    }
  }
}

void Renamed::read_plus_one(const Origin& origin, uint64_t first, uint64_t count,
                            uint64_t row_bytes, std::span<std::byte> out) const {
  const TensorInfo& stored = source_.tensors()[origin.parts.front()];
  std::vector<std::byte> row(stored.row_bytes());
  std::vector<float> floats(row_bytes / sizeof(float));
  for (uint64_t r = 0; r < count; ++r) {
    source_.read_rows(origin.parts.front(), first + r, 1, row);
    codec(stored.type).decode(row.data(), static_cast<int64_t>(floats.size()), floats.data());
    for (float& x : floats) x += 1.0f;
    std::memcpy(out.data() + r * row_bytes, floats.data(), row_bytes);
  }
}

bool Renamed::is_as_stored(const Origin& origin) const {
  return !origin.row && origin.column_step == 0 && !origin.lacks_one && !origin.in_one_row;
}

std::span<const std::byte> Renamed::view(size_t tensor) const {
  return view_rows(tensor, 0, tensors_[tensor].shape.rows());
}

std::span<const std::byte> Renamed::view_rows(size_t tensor, uint64_t first, uint64_t count) const {
  const Origin& origin = origins_[tensor];
  const uint64_t row_bytes = tensors_[tensor].row_bytes();
  if (origin.parts.empty()) {
    return std::as_bytes(std::span(options_.made[origin.made].second))
        .subspan(first * row_bytes, count * row_bytes);
  }
  const uint64_t part_rows = rows_of_part(tensor);
  if (!is_as_stored(origin) || part_rows == 0 || first % part_rows + count > part_rows) return {};
  return source_.view_rows(origin.parts[first / part_rows], first % part_rows, count);
}

}  // namespace nibble
