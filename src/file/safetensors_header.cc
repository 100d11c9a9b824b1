#include "file/safetensors_header.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "codec/formats.h"
#include "file/byte_reader.h"

namespace nibble {
namespace {

struct TypeRow {
  std::string_view name;
  uint64_t bits;
  std::optional<DType> type;  // std::nullopt: kept aside
};

// The types of the reference implementation. One that is missing here is kept aside too, only its
// size cannot be checked.
constexpr auto kTypes = std::to_array<TypeRow>({
    {"F32", 32, DType::kF32},     {"F16", 16, DType::kF16},     {"BF16", 16, DType::kBF16},
    {"BOOL", 8, std::nullopt},    {"U8", 8, std::nullopt},      {"I8", 8, std::nullopt},
    {"I16", 16, std::nullopt},    {"U16", 16, std::nullopt},    {"I32", 32, std::nullopt},
    {"U32", 32, std::nullopt},    {"I64", 64, std::nullopt},    {"U64", 64, std::nullopt},
    {"F64", 64, std::nullopt},    {"C64", 64, std::nullopt},    {"F8_E4M3", 8, std::nullopt},
    {"F8_E5M2", 8, std::nullopt}, {"F8_E8M0", 8, std::nullopt}, {"F6_E2M3", 6, std::nullopt},
    {"F6_E3M2", 6, std::nullopt}, {"F4", 4, std::nullopt},
});

struct Entry {
  std::string name;
  std::string type;
  std::vector<uint64_t> shape;  // PyTorch's order
  uint64_t begin;
  uint64_t end;
};

const TypeRow* find_type(std::string_view name) {
  const auto row = std::ranges::find(kTypes, name, &TypeRow::name);
  return row == kTypes.end() ? nullptr : &*row;
}

std::vector<uint64_t> read_integers(const JsonObject& object, const char* key) {
  const Json& list = object.require(key);
  const bool all_integers = list.is_array() && std::ranges::all_of(list, [](const Json& item) {
                              return item.is_number_unsigned();
                            });
  if (!all_integers) {
    fail(ErrorCode::kInvalidFile, "{}: \"{}\": found something else than a list of integers from 0",
         object.file_name(), key);
  }
  return list.get<std::vector<uint64_t>>();
}

std::optional<uint64_t> count_elements(const std::vector<uint64_t>& shape) {
  std::optional<uint64_t> count = 1;
  for (const uint64_t dim : shape) {
    count = count ? checked_mul(*count, dim) : std::nullopt;
  }
  return count;
}

void check_size(const Entry& entry, const std::string& where) {
  const TypeRow* row = find_type(entry.type);
  if (row == nullptr) return;
  const auto count = count_elements(entry.shape);
  const auto bits = count ? checked_mul(*count, row->bits) : std::nullopt;
  if (!bits || *bits % 8 != 0 || *bits / 8 != entry.end - entry.begin) {
    fail(ErrorCode::kInvalidFile,
         "{}: \"data_offsets\": found {} bytes, which its shape and type {} do not have", where,
         entry.end - entry.begin, entry.type);
  }
}

Entry read_entry(const std::string& name, const Json& json, const std::string& file_name) {
  const JsonObject object(json, fmt::format("{}: tensor {}", file_name, printable(name)));
  const std::vector<uint64_t> offsets = read_integers(object, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    fail(ErrorCode::kInvalidFile,
         "{}: \"data_offsets\": expected a begin and an end that is not "
         "smaller",
         object.file_name());
  }
  Entry entry{name, object.require_string("dtype"), read_integers(object, "shape"), offsets[0],
              offsets[1]};
  check_size(entry, object.file_name());
  return entry;
}

std::map<std::string, std::string> read_texts(const Json& json, const std::string& file_name) {
  const bool all_texts = json.is_object() && std::ranges::all_of(json, [](const Json& value) {
                           return value.is_string();
                         });
  if (!all_texts) {
    fail(ErrorCode::kInvalidFile, "{}: __metadata__: expected an object of strings", file_name);
  }
  return json.get<std::map<std::string, std::string>>();
}

// The entries, sorted by place, must fill the file from the header's end to its own.
void check_places(const std::vector<Entry>& entries, uint64_t data_bytes,
                  const std::string& file_name) {
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != end) {
      fail(ErrorCode::kInvalidFile,
           "{}: tensor {}: \"data_offsets\": begins at {}, but the tensor before ends at {}: "
           "tensors must neither overlap nor leave holes",
           file_name, printable(entry.name), entry.begin, end);
    }
    end = entry.end;
  }
  if (end != data_bytes) {
    fail(ErrorCode::kInvalidFile,
         "{}: the tensors end at byte {} of the weights, but the file has {}: it is {}", file_name,
         end, data_bytes, end > data_bytes ? "truncated" : "damaged");
  }
}

// Why a TensorSource cannot hand the tensor out; empty when it can.
std::string find_reason(const Entry& entry) {
  const TypeRow* row = find_type(entry.type);
  if (row == nullptr || !row->type) return fmt::format("type {}", printable(entry.type));
  if (entry.shape.size() > Shape::kMaxRank) return fmt::format("{} dimensions", entry.shape.size());
  if (entry.begin == entry.end) return "no elements";
  return "";
}

Shape make_shape(const std::vector<uint64_t>& dims) {
  Shape shape;
  shape.rank = std::max(1, static_cast<int>(dims.size()));
  std::ranges::reverse_copy(dims, shape.dims.begin());
  return shape;
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file,
                                           const std::string& file_name) {
  ByteReader in(file, file_name);
  in.set_field("header");
  const std::string_view text = in.read_string(kSafetensorsMaxHeaderBytes);
  const Json json = parse_json(text, file_name + ": header", DuplicateKeys::kRefuse);
  const JsonObject checked(json, file_name + ": header");  // an object, or an error
  SafetensorsHeader header;
  std::vector<Entry> entries;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      header.metadata = read_texts(value, file_name);
    } else {
      entries.push_back(read_entry(name, value, file_name));
    }
  }
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::tuple(e.begin, e.end); });
  check_places(entries, in.left(), file_name);
  for (Entry& entry : entries) {
    if (std::string reason = find_reason(entry); !reason.empty()) {
      if (entry.type == "U8" && entry.begin != entry.end)
        header.bytes.push_back({entry.name, entry.shape, in.offset() + entry.begin});
      header.unsupported.push_back({std::move(entry.name), std::move(reason)});
      continue;
    }
    header.tensors.push_back(
        {std::move(entry.name), *find_type(entry.type)->type, make_shape(entry.shape)});
    header.offsets.push_back(in.offset() + entry.begin);
  }
  return header;
}

}  // namespace nibble
