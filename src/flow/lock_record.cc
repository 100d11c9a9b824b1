#include "flow/lock_record.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/input_file.h"

namespace nibble {
namespace {

constexpr const char* kHashesKey = "nibble.lock.source.sha256";
constexpr size_t kDigits = 64;

// The keys that hold one text, and where it stands in the record. An empty text has no key.
struct TextKey {
  const char* key;
  std::string LockRecord::*text;
};
constexpr TextKey kTextKeys[] = {
    {"nibble.lock.version", &LockRecord::nibble},
    {"nibble.lock.source", &LockRecord::source},
    {"nibble.lock.recipe", &LockRecord::recipe},
    {"nibble.lock.recipe.sha256", &LockRecord::recipe_sha256},
    {"nibble.lock.recipe.text", &LockRecord::recipe_text},
    {"nibble.lock.effort", &LockRecord::effort},
    {"nibble.lock.method", &LockRecord::method},
    {"nibble.lock.order", &LockRecord::order},
    {"nibble.lock.scaling", &LockRecord::scaling},
    {"nibble.lock.imatrix.sha256", &LockRecord::imatrix_sha256},
    {"nibble.lock.prune_layers", &LockRecord::prune_layers},
};

// The same for lists; an empty one has no key.
struct ListKey {
  const char* key;
  std::vector<std::string> LockRecord::*items;
};
constexpr ListKey kListKeys[] = {
    {"nibble.lock.imatrix.include", &LockRecord::include_weights},
    {"nibble.lock.imatrix.exclude", &LockRecord::exclude_weights},
};

// "models/lab-7m/" is lab-7m: where it lay says nothing about what it was.
std::string file_name(const std::filesystem::path& path) {
  const auto whole = std::filesystem::weakly_canonical(path);
  return whole.filename().string();
}

LockRecord make_lock_record(const ModelSource& model, const QuantizeOptions& options,
                            const QuantizeRequest& request, const PlannedOutput& output) {
  LockRecord record;
  record.nibble = NIBBLE_VERSION;
  record.source = file_name(model.path);
  record.recipe = output.recipe;
  record.recipe_sha256 = hex(sha256(bytes_of(output.recipe_text)));
  if (is_recipe_file(output.type)) record.recipe_text = output.recipe_text;
  record.effort = effort_name(options.effort);
  if (request.method == Method::kGptq) record.method = method_name(request.method);
  if (options.order != ColumnOrder::kNatural) record.order = column_order_name(options.order);
  if (options.scaling != Scaling::kNone) record.scaling = scaling_name(options.scaling);
  if (request.method != Method::kNearest) record.imatrix_sha256 = request.imatrix_sha256;
  record.include_weights = options.include_weights;
  record.exclude_weights = options.exclude_weights;
  record.prune_layers = fmt::format("{}", fmt::join(options.prune_layers, ","));
  record.tensor_sha256.assign(output.tensors.size(), std::string(kDigits, '0'));
  return record;
}

void erase_lock_record(Metadata& metadata) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : metadata.entries()) {
    if (key.starts_with(kLockPrefix)) keys.push_back(key);
  }
  for (const std::string& key : keys) metadata.erase(key);
}

}  // namespace

std::string sha256_of_file(const std::filesystem::path& path) {
  const InputFile file(path);
  Sha256 hash;
  std::vector<std::byte> buffer(kPieceBytes);
  for (uint64_t at = 0; at < file.size(); at += buffer.size()) {
    buffer.resize(std::min<uint64_t>(kPieceBytes, file.size() - at));
    file.read(at, buffer);
    hash.update(buffer);
  }
  return hex(hash.finish());
}

void add_lock_record(const ModelSource& model, const QuantizeOptions& options,
                     const QuantizeRequest& request, PlannedOutput& output) {
  const bool is_copy = is_copy_type(output.type);
  if (is_copy && options.prune_layers.empty()) {
    output.record = describe_lock_record(output.metadata);
    return;
  }
  erase_lock_record(output.metadata);
  if (is_copy) return;
  const LockRecord record = make_lock_record(model, options, request, output);
  for (const TextKey& row : kTextKeys) {
    if (!(record.*row.text).empty()) output.metadata.set(row.key, record.*row.text);
  }
  for (const ListKey& row : kListKeys) {
    if (!(record.*row.items).empty()) {
      output.metadata.set(row.key, MetadataArray{record.*row.items});
    }
  }
  output.record = describe_lock_record(output.metadata);
  output.is_locked = options.lock_record;
  options.lock_record ? set_tensor_hashes(output.metadata, record.tensor_sha256)
                      : erase_lock_record(output.metadata);
}

void set_tensor_hashes(Metadata& metadata, std::vector<std::string> hashes) {
  metadata.set(kHashesKey, MetadataArray{std::move(hashes)});
}

std::optional<LockRecord> find_lock_record(const Metadata& metadata) {
  const auto* hashes = metadata.find_array<std::string>(kHashesKey);
  if (hashes == nullptr) return std::nullopt;
  LockRecord record;
  record.tensor_sha256 = *hashes;
  for (const TextKey& row : kTextKeys) {
    record.*row.text = metadata.find_string(row.key).value_or("");
  }
  for (const ListKey& row : kListKeys) {
    const auto* items = metadata.find_array<std::string>(row.key);
    if (items != nullptr) record.*row.items = *items;
  }
  return record;
}

std::string describe_lock_record(const Metadata& metadata) {
  std::string lines;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (value.find('\n') != std::string_view::npos) return;
    lines += fmt::format("{}: {}\n", key.substr(kLockPrefix.size()), value);
  };
  for (const TextKey& row : kTextKeys) {
    if (const auto text = metadata.find_string(row.key)) add(row.key, *text);
  }
  for (const ListKey& row : kListKeys) {
    const auto* items = metadata.find_array<std::string>(row.key);
    if (items != nullptr) add(row.key, fmt::format("{}", fmt::join(*items, ",")));
  }
  return lines;
}

std::vector<std::string> tensor_hashes(const std::vector<Piece>& pieces,
                                       std::span<const Sha256Digest> of_piece, size_t tensors) {
  std::vector<std::string> hashes;
  Sha256 hash;
  size_t next = 0;
  for (size_t tensor = 0; tensor < tensors; ++tensor) {
    for (; next < pieces.size() && pieces[next].tensor == tensor; ++next) {
      hash.update(of_piece[next]);
    }
    hashes.push_back(hex(hash.finish()));
  }
  return hashes;
}

bool same_but_hashes(const Metadata& a, const Metadata& b) {
  return std::ranges::equal(a.entries(), b.entries(), [](const auto& x, const auto& y) {
    return x.first == y.first && (x.first == kHashesKey || x.second == y.second);
  });
}

}  // namespace nibble
