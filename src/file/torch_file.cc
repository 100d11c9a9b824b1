#include "file/torch_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "base/checked.h"
#include "base/error.h"
#include "file/byte_reader.h"
#include "file/pickle.h"
#include "file/stored_zip.h"
#include "file/weight_index.h"

namespace nibble {
namespace {

struct Place {
  uint64_t offset, bytes;
};
using Storages = std::map<std::string, Place, std::less<>>;

// 0x1950a86a20f9469cfc6c, which torch.save began with.
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::string_view kLegacyProtocol("\xe9\x03\0\0\0\0\0\0", 8);

// Elements that follow each other as the shape says; dimensions of one element may have any stride.
bool is_contiguous(const PickledTensor& tensor) {
  uint64_t step = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != step) return false;
    const auto next = checked_mul(step, tensor.shape[i]);
    if (!next) return true;  // more than any storage has, as locate() says
    step = *next;
  }
  return true;
}

std::string find_reason(const PickledTensor& tensor) {
  if (std::ranges::count(tensor.shape, 0u) > 0) return "no elements";
  if (is_contiguous(tensor)) return "";
  if (std::string reason = find_unsupported(tensor.type, tensor.shape); reason.empty()) return "";
  return fmt::format("strides {} for the shape {} (save it with .contiguous())",
                     fmt::format("[{}]", fmt::join(tensor.strides, ", ")),
                     fmt::format("[{}]", fmt::join(tensor.shape, ", ")));
}

// How many elements lie between the first one and behind the last one. Of a tensor with elements.
std::optional<uint64_t> count_spanned(const PickledTensor& tensor) {
  std::optional<uint64_t> span = 1;
  for (size_t i = 0; i < tensor.shape.size() && span; ++i) {
    const auto step = checked_mul(tensor.shape[i] - 1, tensor.strides[i]);
    span = step ? checked_add(*span, *step) : std::nullopt;
  }
  return span;
}

StoredTensor locate(const PickledTensor& tensor, const Storages& storages,
                    const std::string& file_name) {
  const std::string where = fmt::format("{}: tensor {}", file_name, printable(tensor.name));
  const auto storage = storages.find(tensor.storage);
  if (storage == storages.end()) {
    fail(ErrorCode::kInvalidFile, "{}: its storage {} is missing", where,
         printable(tensor.storage));
  }
  const bool is_strided = !is_contiguous(tensor);
  const auto spanned = is_strided ? count_spanned(tensor) : std::nullopt;
  const auto bytes = !is_strided ? stored_bytes(tensor.type, tensor.shape)
                     : spanned   ? stored_bytes(tensor.type, {*spanned})
                                 : std::nullopt;
  const auto offset = checked_mul(tensor.offset, *stored_type_bits(tensor.type) / 8);
  const auto end = bytes && offset ? checked_add(*bytes, *offset) : std::nullopt;
  const auto held = stored_bytes(tensor.type, {tensor.storage_elements});
  if (!end || *end > storage->second.bytes || held != storage->second.bytes) {
    fail(ErrorCode::kInvalidFile,
         "{}: {} elements from {} do not lie in a storage of {} elements and {} bytes", where,
         fmt::join(tensor.shape, " x "), tensor.offset, tensor.storage_elements,
         storage->second.bytes);
  }
  const auto whole = stored_bytes(tensor.type, tensor.shape);  // an expanded one may hold more
  const uint64_t most = std::max(storage->second.bytes, kTorchMaxExpanded);
  if (!whole || (is_strided && *whole > most)) {
    fail(ErrorCode::kInvalidFile, "{}: {} elements are made of a storage of {} bytes", where,
         fmt::join(tensor.shape, " x "), storage->second.bytes);
  }
  return {tensor.name, tensor.type, tensor.shape, 0, storage->second.offset + *offset};
}

TorchContent make_content(const PickledTensors& pickled, const Storages& storages,
                          const std::string& file_name) {
  std::vector<std::string_view> names;
  TorchContent content;
  for (const PickledTensor& tensor : pickled.tensors) {
    names.push_back(tensor.name);
    if (std::string reason = find_reason(tensor); !reason.empty()) {
      content.unsupported.push_back({tensor.name, std::move(reason)});
    } else if (is_contiguous(tensor)) {
      content.stored.push_back(locate(tensor, storages, file_name));
    } else {
      content.strided.push_back({locate(tensor, storages, file_name), tensor.strides});
    }
  }
  if (const auto name = find_duplicate(std::move(names)))
    fail(ErrorCode::kInvalidFile, "{}: tensor {} stands twice", file_name, printable(*name));
  if (pickled.tensors.empty())
    fail(ErrorCode::kInvalidFile, "{}: holds no tensors by name", file_name);
  return content;
}

const ZipEntry* find_entry(const std::vector<ZipEntry>& entries, std::string_view name) {
  const auto place = std::ranges::lower_bound(entries, name, {}, &ZipEntry::name);
  return place != entries.end() && place->name == name ? &*place : nullptr;
}

// "NAME/" of NAME/data.pkl.
std::string find_prefix(const std::vector<ZipEntry>& entries, const std::string& file_name) {
  constexpr std::string_view kPickle = "data.pkl";
  std::vector<std::string> prefixes;
  for (const ZipEntry& entry : entries) {
    if (entry.name == kPickle || entry.name.ends_with("/data.pkl"))
      prefixes.push_back(entry.name.substr(0, entry.name.size() - kPickle.size()));
  }
  if (prefixes.size() != 1) {
    fail(ErrorCode::kInvalidFile, "{}: a ZIP archive with {} entries data.pkl, expected one",
         file_name, prefixes.size());
  }
  if (find_entry(entries, prefixes[0] + "constants.pkl") != nullptr) {
    fail(ErrorCode::kUnsupported,
         "{}: a TorchScript archive, which holds a program; save the state_dict() of its model",
         file_name);
  }
  return prefixes[0];
}

std::span<const std::byte> bytes_of(std::span<const std::byte> file, const ZipEntry& entry) {
  return file.subspan(entry.offset, entry.bytes);
}

void check_byte_order(std::span<const std::byte> text, const std::string& file_name) {
  const std::string_view order(reinterpret_cast<const char*>(text.data()), text.size());
  if (order == "little") return;
  fail(ErrorCode::kUnsupported, "{}: byteorder: found \"{}\", expected \"little\"", file_name,
       printable(order));
}

TorchContent parse_zip(std::span<const std::byte> file, const std::string& file_name) {
  const std::vector<ZipEntry> entries = read_stored_zip(file, file_name);
  const std::string prefix = find_prefix(entries, file_name);
  if (const ZipEntry* order = find_entry(entries, prefix + "byteorder"))
    check_byte_order(bytes_of(file, *order), file_name);
  const PickledTensors pickled =
      read_pickled_tensors(bytes_of(file, *find_entry(entries, prefix + "data.pkl")), file_name);
  const std::string folder = prefix + "data/";
  Storages storages;
  for (const ZipEntry& entry : entries) {
    if (entry.name.starts_with(folder))
      storages[entry.name.substr(folder.size())] = {entry.offset, entry.bytes};
  }
  return make_content(pickled, storages, file_name);
}

// What follows the keys: each storage's elements, whose type the state dict mentions.
Storages read_legacy_storages(ByteReader& in, const std::vector<std::string>& keys,
                              const PickledTensors& pickled, uint64_t begin) {
  std::map<std::string_view, const PickledStorage*> mentioned;
  for (const PickledStorage& storage : pickled.storages) mentioned[storage.key] = &storage;
  Storages storages;
  for (const std::string& key : keys) {
    const auto known = mentioned.find(key);
    const auto elements = in.read<uint64_t>();
    if (known == mentioned.end() || elements != known->second->elements)
      in.fail_here(ErrorCode::kInvalidFile, "storage {} has another size", printable(key));
    const std::string& type = known->second->type;
    const auto bytes = stored_bytes(type.empty() ? "U8" : type, {elements});
    if (!bytes || *bytes > in.left())
      in.fail_here(ErrorCode::kInvalidFile, "storage {} is truncated", printable(key));
    storages[key] = {begin + in.offset(), *bytes};
    in.skip(*bytes);
  }
  return storages;
}

TorchContent parse_legacy(std::span<const std::byte> file, const std::string& file_name) {
  uint64_t at = 0;
  std::string integer;
  for (const std::string_view expected : {kLegacyMagic, kLegacyProtocol}) {
    at += read_pickled_integer(file.subspan(at), file_name, integer);
    if (integer == expected) continue;
    fail(ErrorCode::kInvalidFile,
         "{}: a pickle, but none that torch.save wrote; save the state dict as safetensors",
         file_name);
  }
  at += skip_pickle(file.subspan(at), file_name);  // sizes and byte order of the writer
  const PickledTensors pickled = read_pickled_tensors(file.subspan(at), file_name);
  at += pickled.bytes;
  std::vector<std::string> keys;
  at += read_pickled_strings(file.subspan(at), file_name, keys);
  ByteReader in(file.subspan(at), file_name);
  in.set_field("storages");
  return make_content(pickled, read_legacy_storages(in, keys, pickled, at), file_name);
}

// The strides in GGUF's order of dimensions, as far as Shape has some.
std::array<uint64_t, Shape::kMaxRank> steps_of(const std::vector<uint64_t>& strides) {
  std::array<uint64_t, Shape::kMaxRank> steps{};
  std::ranges::reverse_copy(strides, steps.begin());
  return steps;
}

}  // namespace

TorchContent parse_torch_file(std::span<const std::byte> file, const std::string& file_name) {
  if (starts_with_zip_magic(file)) return parse_zip(file, file_name);
  if (!file.empty() && file[0] == std::byte{0x80}) return parse_legacy(file, file_name);
  fail(ErrorCode::kInvalidFile,
       "{}: not a file of torch.save: it begins neither as a ZIP archive nor as a pickle",
       file_name);
}

// Element by element, unless those of a row follow each other; column by column, because rows of
// what was transposed lie side by side.
void gather_rows(const StridedTensor& strided, std::span<const std::byte> file, uint64_t first,
                 uint64_t count, std::span<std::byte> out) {
  const Shape shape = shape_from_pytorch(strided.tensor.shape);
  const std::byte* begin = file.data() + strided.tensor.offset;
  const auto steps = steps_of(strided.strides);
  const uint64_t size = *stored_type_bits(strided.tensor.type) / 8, columns = shape.columns();
  std::vector<uint64_t> rows(count);  // where each begins
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t row = first + i;
    rows[i] = row % shape.dims[1] * steps[1] + row / shape.dims[1] % shape.dims[2] * steps[2] +
              row / shape.dims[1] / shape.dims[2] * steps[3];
  }
  const uint64_t together = steps[0] == 1 ? columns : 1;
  for (uint64_t c = 0; c < columns; c += together) {
    for (uint64_t i = 0; i < count; ++i) {
      std::memcpy(out.data() + (i * columns + c) * size, begin + (rows[i] + c * steps[0]) * size,
                  together * size);
    }
  }
}

TorchFile::TorchFile(const std::filesystem::path& path) {
  if (path.extension() == ".json") {
    open_weight_index(path, ".bin", [this](const auto& shard) { return open_file(shard); });
  } else {
    open_file(path);
  }
}

std::vector<std::string> TorchFile::open_file(const std::filesystem::path& path) {
  const InputFile& file = files_.open(path);
  TorchContent content = parse_torch_file(file.map(), file.name());
  std::vector<std::string> names;
  for (UnsupportedTensor& tensor : content.unsupported) {
    names.push_back(tensor.name);
    unsupported_.push_back(std::move(tensor));
  }
  for (StoredTensor& tensor : content.stored) {
    names.push_back(tensor.name);
    tensor.file = files_.files().size() - 1;
    if (std::string reason = find_unsupported(tensor.type, tensor.shape); reason.empty()) {
      files_.add({tensor.name, *stored_dtype(tensor.type), shape_from_pytorch(tensor.shape)},
                 tensor.offset);
    } else {
      unsupported_.push_back({tensor.name, std::move(reason)});
    }
    stored_.push_back(std::move(tensor));
  }
  for (StridedTensor& strided : content.strided) {
    names.push_back(strided.tensor.name);
    add_strided(std::move(strided));
  }
  std::ranges::sort(names);
  return names;
}

void TorchFile::add_strided(StridedTensor strided) {
  strided.tensor.file = files_.files().size() - 1;
  const StoredTensor& tensor = strided.tensor;
  files_.add({tensor.name, *stored_dtype(tensor.type), shape_from_pytorch(tensor.shape)},
             tensor.offset);
  strided_[files_.tensors().size() - 1] = std::move(strided);
}

void TorchFile::read_rows(size_t tensor, uint64_t first, uint64_t count,
                          std::span<std::byte> out) const {
  const auto found = strided_.find(tensor);
  if (found == strided_.end()) return WeightFiles::read_rows(tensor, first, count, out);
  const TensorInfo& info = tensors()[tensor];
  const uint64_t rows = info.shape.rows();
  if (first > rows || count > rows - first || out.size() != count * info.row_bytes()) {
    fail(ErrorCode::kUsage, "{}: rows {} to {} of {} wanted into {} bytes", info.name, first,
         first + count, rows, out.size());
  }
  gather_rows(found->second, files()[found->second.tensor.file]->map(), first, count, out);
}

}  // namespace nibble
