#include "file/safetensors_header.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/json.h"
#include "file/byte_reader.h"

namespace nibble {
namespace {

struct Entry {
  std::string name;
  std::string type;
  std::vector<uint64_t> shape;  // PyTorch's order
  uint64_t begin;
  uint64_t end;
};

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

void check_size(const Entry& entry, const std::string& where) {
  if (!stored_type_bits(entry.type)) return;
  if (stored_bytes(entry.type, entry.shape) != entry.end - entry.begin) {
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
    const uint64_t offset = in.offset() + entry.begin;
    if (stored_type_bits(entry.type) && entry.begin != entry.end)
      header.stored.push_back({entry.name, entry.type, entry.shape, 0, offset});
    if (std::string reason = find_unsupported(entry.type, entry.shape); !reason.empty()) {
      header.unsupported.push_back({std::move(entry.name), std::move(reason)});
      continue;
    }
    header.tensors.push_back(
        {std::move(entry.name), *stored_dtype(entry.type), shape_from_pytorch(entry.shape)});
    header.offsets.push_back(offset);
  }
  return header;
}

}  // namespace nibble
