#include "file/gguf_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include "base/checked.h"
#include "file/byte_reader.h"
#include "file/tensor_files.h"

namespace nibble {
namespace {

constexpr uint64_t kMaxKeyBytes = 65535;  // the format's own limit
constexpr uint64_t kMaxNameBytes = 65535;
constexpr int kMaxArrayDepth = 8;  // arrays in arrays; nothing known nests more than once

// The fewest bytes that a key with its value, a tensor's entry and an array element can have.
constexpr uint64_t kLeastKeyBytes = 8 + 1 + 4 + 1;
constexpr uint64_t kLeastTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;
template <class T>
constexpr uint64_t kLeastItemBytes = sizeof(T);
template <>
constexpr uint64_t kLeastItemBytes<std::string> = 8;
template <>
constexpr uint64_t kLeastItemBytes<MetadataArray> = 4 + 8;

MetadataArray read_array(ByteReader& in, int depth);

template <class T>
T read_value(ByteReader& in, int depth) {
  if constexpr (std::is_same_v<T, bool>) {
    return in.read_bool();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return std::string(in.read_string());
  } else if constexpr (std::is_same_v<T, MetadataArray>) {
    return read_array(in, depth + 1);
  } else {
    return in.read<T>();
  }
}

template <class T>
std::vector<T> read_items(ByteReader& in, int depth) {
  const auto count = in.read<uint64_t>();
  in.require_items(count, kLeastItemBytes<T>);
  std::vector<T> items;
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    items.resize(count);
    in.read_into(std::span(items));
  } else {
    constexpr uint64_t kReserved = 1u << 17;  // more only as they are really there
    items.reserve(std::min(count, kReserved));
    for (uint64_t i = 0; i < count; ++i) items.push_back(read_value<T>(in, depth));
  }
  return items;
}

// One reader per alternative: the index in MetadataValue is the type id in the file.
template <class Variant>
using Reader = Variant (*)(ByteReader&, int depth);

constexpr auto kValueReaders = []<size_t... I>(std::index_sequence<I...>) {
  return std::array<Reader<MetadataValue>, sizeof...(I)>{[](ByteReader& in, int depth) {
    using T = std::variant_alternative_t<I, MetadataValue>;
    return MetadataValue(std::in_place_index<I>, read_value<T>(in, depth));
  }...};
}
(std::make_index_sequence<std::variant_size_v<MetadataValue>>());

constexpr auto kItemReaders = []<size_t... I>(std::index_sequence<I...>) {
  return std::array<Reader<MetadataItems>, sizeof...(I)>{[](ByteReader& in, int depth) {
    using T = std::variant_alternative_t<I, MetadataValue>;
    return MetadataItems(std::in_place_index<I>, read_items<T>(in, depth));
  }...};
}
(std::make_index_sequence<std::variant_size_v<MetadataItems>>());

static_assert(kValueReaders.size() == kItemReaders.size());

uint32_t read_value_type(ByteReader& in) {
  const auto type = in.read<uint32_t>();
  if (type >= kValueReaders.size()) {
    in.fail_here(ErrorCode::kInvalidFile, "found value type {}, expected 0 to {}", type,
                 kValueReaders.size() - 1);
  }
  return type;
}

MetadataArray read_array(ByteReader& in, int depth) {
  if (depth > kMaxArrayDepth) {
    in.fail_here(ErrorCode::kInvalidFile, "arrays nested deeper than {} levels", kMaxArrayDepth);
  }
  const uint32_t type = read_value_type(in);
  return {kItemReaders[type](in, depth)};
}

struct Counts {
  uint64_t tensors;
  uint64_t keys;
};

void check_version(const ByteReader& in, uint32_t version) {
  if (version == 2 || version == 3) return;
  if (version != 0 && (version & 0xffff) == 0) {
    in.fail_here(ErrorCode::kUnsupported,
                 "found a big-endian file; convert it to little-endian first");
  }
  in.fail_here(ErrorCode::kUnsupported, "found GGUF version {}, expected 2 or 3; {}", version,
               version == 1 ? "convert the model again with a current tool"
                            : "a newer version of this program may read it");
}

Counts read_counts(ByteReader& in, uint32_t& version) {
  in.set_field("magic");
  std::array<char, 4> magic;
  in.read_into(std::span<char>(magic));
  if (std::string_view(magic.data(), magic.size()) != "GGUF") {
    fail(ErrorCode::kInvalidFile, "{}: magic: found \"{}\", expected \"GGUF\": not a GGUF file",
         in.file_name(), printable({magic.data(), magic.size()}));
  }
  in.set_field("version");
  version = in.read<uint32_t>();
  check_version(in, version);
  in.set_field("tensor count");
  const auto tensors = in.read<uint64_t>();
  in.require_items(tensors, kLeastTensorBytes);
  in.set_field("key count");
  const auto keys = in.read<uint64_t>();
  in.require_items(keys, kLeastKeyBytes);
  return {tensors, keys};
}

Metadata read_metadata(ByteReader& in, uint64_t count) {
  Metadata metadata;
  metadata.set_origin(in.file_name());
  std::vector<std::string_view> keys;
  for (uint64_t i = 0; i < count; ++i) {
    in.set_field(fmt::format("key {} of {}", i + 1, count));
    const std::string_view key = keys.emplace_back(in.read_string(kMaxKeyBytes));
    if (key.empty()) in.fail_here(ErrorCode::kInvalidFile, "found an empty key");
    in.set_field(printable(key));
    const uint32_t type = read_value_type(in);
    metadata.append(std::string(key), kValueReaders[type](in, 0));
  }
  if (const auto key = find_duplicate(std::move(keys))) {
    fail(ErrorCode::kInvalidFile, "{}: {}: the key stands there more than once", in.file_name(),
         printable(*key));
  }
  return metadata;
}

Shape read_shape(ByteReader& in) {
  Shape shape;
  const auto rank = in.read<uint32_t>();
  if (rank < 1 || rank > Shape::kMaxRank) {
    in.fail_here(ErrorCode::kInvalidFile, "found {} dimensions, expected 1 to {}", rank,
                 Shape::kMaxRank);
  }
  shape.rank = static_cast<int>(rank);
  in.read_into(std::span(shape.dims).first(rank));
  if (std::ranges::count(shape.dims, 0u) > 0 || !shape_is_countable(shape)) {
    in.fail_here(ErrorCode::kInvalidFile,
                 "found the shape {}, expected dimensions from 1 whose product fits 63 bits",
                 to_string(shape));
  }
  return shape;
}

DType read_type(ByteReader& in, const Shape& shape) {
  const auto id = in.read<uint32_t>();
  const auto type = dtype_from_gguf_id(id);
  if (!type) {
    in.fail_here(ErrorCode::kUnsupported, "found tensor type {}: this version cannot read it", id);
  }
  if (shape.columns() % block_weights(*type) != 0) {
    in.fail_here(ErrorCode::kInvalidFile, "found {} columns, expected a multiple of {} for {}",
                 shape.columns(), block_weights(*type), dtype_name(*type));
  }
  if (!checked_tensor_bytes(*type, shape)) {
    in.fail_here(ErrorCode::kInvalidFile, "the bytes of shape {} in {} do not fit 63 bits",
                 to_string(shape), dtype_name(*type));
  }
  return *type;
}

TensorInfo read_tensor(ByteReader& in, std::string which) {
  in.set_field(std::move(which));
  TensorInfo tensor;
  tensor.name = in.read_string(kMaxNameBytes);
  if (tensor.name.empty()) in.fail_here(ErrorCode::kInvalidFile, "found an empty name");
  in.set_field(fmt::format("tensor {}", printable(tensor.name)));
  tensor.shape = read_shape(in);
  tensor.type = read_type(in, tensor.shape);
  return tensor;
}

// Turns the offsets, which count from `data`, into offsets in the file.
void place_tensors(GgufHeader& header, uint64_t data, uint64_t alignment, uint64_t file_bytes) {
  for (size_t i = 0; i < header.tensors.size(); ++i) {
    const TensorInfo& tensor = header.tensors[i];
    uint64_t& offset = header.offsets[i];
    if (offset % alignment != 0) {
      fail(ErrorCode::kInvalidFile, "{}: tensor {}: found offset {}, expected a multiple of {}",
           header.metadata.origin(), printable(tensor.name), offset, alignment);
    }
    const auto begin = checked_add(data, offset);
    const auto end = begin ? checked_add(*begin, tensor.bytes()) : std::nullopt;
    if (!end || *end > file_bytes) {
      fail(ErrorCode::kInvalidFile,
           "{}: tensor {}: {} bytes at offset {} of the weights, which begin at {}, reach past the "
           "file's end at {}: the file is truncated or damaged",
           header.metadata.origin(), printable(tensor.name), tensor.bytes(), offset, data,
           file_bytes);
    }
    offset = *begin;
  }
}

void check_overlaps(const GgufHeader& header) {
  std::vector<size_t> order(header.tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return header.offsets[i]; });
  for (size_t k = 1; k < order.size(); ++k) {
    const size_t before = order[k - 1];
    if (header.offsets[before] + header.tensors[before].bytes() > header.offsets[order[k]]) {
      fail(ErrorCode::kInvalidFile, "{}: tensor {}: its bytes overlap those of tensor {}",
           header.metadata.origin(), printable(header.tensors[order[k]].name),
           printable(header.tensors[before].name));
    }
  }
}

}  // namespace

uint64_t gguf_alignment(const Metadata& metadata) {
  const MetadataValue* value = metadata.find("general.alignment");
  if (value == nullptr) return kGgufDefaultAlignment;
  const auto* alignment = std::get_if<uint32_t>(value);
  if (alignment == nullptr) {
    fail(ErrorCode::kInvalidFile, "{}: general.alignment: found a value of type {}, expected u32",
         metadata.origin(), metadata_type_name(*value));
  }
  if (!std::has_single_bit(*alignment) || *alignment < 8 || *alignment > kGgufMaxAlignment) {
    fail(ErrorCode::kInvalidFile,
         "{}: general.alignment: found {}, expected a power of two from 8 to {}", metadata.origin(),
         *alignment, kGgufMaxAlignment);
  }
  return *alignment;
}

GgufHeader parse_gguf_header(std::span<const std::byte> file, const std::string& file_name) {
  ByteReader in(file, file_name);
  GgufHeader header{};
  const Counts counts = read_counts(in, header.version);
  header.metadata = read_metadata(in, counts.keys);
  const uint64_t alignment = gguf_alignment(header.metadata);
  for (uint64_t i = 0; i < counts.tensors; ++i) {
    header.tensors.push_back(
        read_tensor(in, fmt::format("tensor {} of {}", i + 1, counts.tensors)));
    header.offsets.push_back(in.read<uint64_t>());
  }
  if (const auto name = find_duplicate(header.tensors)) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: the name stands there more than once", file_name,
         printable(*name));
  }
  const auto data = checked_align(in.offset(), alignment);  // cannot wrap: both are small
  place_tensors(header, *data, alignment, file.size());
  check_overlaps(header);
  return header;
}

}  // namespace nibble
