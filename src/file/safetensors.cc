#include "file/safetensors.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "codec/formats.h"
#include "file/byte_reader.h"

namespace nibble {
namespace {

constexpr uint64_t kMaxIndexBytes = kSafetensorsMaxHeaderBytes;

using Shards =
    std::map<std::string, std::vector<std::string>>;  // file name -> tensor names, sorted

// A shard stands beside its index: a hostile index must not reach other folders.
void check_shard_name(const std::string& shard, const std::string& index_name) {
  if (shard.find('/') == std::string::npos && shard.ends_with(".safetensors")) return;
  fail(ErrorCode::kInvalidFile,
       "{}: \"weight_map\": found the file \"{}\", expected the name of a .safetensors file in the "
       "same folder",
       index_name, printable(shard));
}

Shards read_index(const std::filesystem::path& path) {
  const Json json =
      parse_json(read_text_file(path, kMaxIndexBytes), path.string(), DuplicateKeys::kRefuse);
  const Json& map = JsonObject(json, path.string()).require("weight_map");
  const JsonObject checked(map, path.string() + ": \"weight_map\"");
  Shards shards;
  for (const auto& [tensor, shard] : map.items()) {  // sorted by name
    if (!shard.is_string()) {
      fail(ErrorCode::kInvalidFile, "{}: \"weight_map\": {}: expected the name of a file",
           path.string(), printable(tensor));
    }
    shards[shard.get<std::string>()].push_back(tensor);
  }
  for (const auto& [shard, tensors] : shards) check_shard_name(shard, path.string());
  return shards;
}

std::optional<std::string> find_first_missing(const std::vector<std::string>& from,
                                              const std::vector<std::string>& in) {
  std::vector<std::string> missing;
  std::ranges::set_difference(from, in, std::back_inserter(missing));
  return missing.empty() ? std::nullopt : std::optional(missing.front());
}

// Both lists are sorted.
void check_shard(const std::string& index_name, const std::filesystem::path& shard,
                 const std::vector<std::string>& promised, const std::vector<std::string>& held) {
  if (const auto name = find_first_missing(promised, held)) {
    fail(ErrorCode::kInvalidFile,
         "{}: tensor {}: {} names it in this file, which does not hold it; download both again",
         shard.string(), printable(*name), index_name);
  }
  if (const auto name = find_first_missing(held, promised)) {
    fail(ErrorCode::kInvalidFile,
         "{}: tensor {}: {} does not name it in this file; download both again", shard.string(),
         printable(*name), index_name);
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) {
  if (path.extension() == ".json") {
    open_index(path);
  } else {
    open_file(path);
  }
  join_pairs();
}

void SafetensorsFile::join_pairs() {
  pairs_ = find_mxfp4_pairs(bytes_);
  for (const Mxfp4Pair& pair : pairs_) {
    std::erase_if(unsupported_, [&](const UnsupportedTensor& tensor) {
      return tensor.name == pair.blocks.name || tensor.name == pair.scales.name;
    });
    files_.add({pair.blocks.name, DType::kMXFP4, pair.shape}, pair.blocks.file, pair.blocks.offset);
  }
}

void SafetensorsFile::read_rows(size_t tensor, uint64_t first, uint64_t count,
                                std::span<std::byte> out) const {
  if (!is_pair(tensor)) return files_.read_rows(tensor, first, count, out);
  const size_t singles = files_.tensors().size() - pairs_.size();
  read_mxfp4_rows(pairs_[tensor - singles], files_.files(), first, count, out);
}

void SafetensorsFile::open_index(const std::filesystem::path& path) {
  for (const auto& [name, tensors] : read_index(path)) {
    const auto shard = path.parent_path() / name;
    if (is_missing(shard)) {
      fail(ErrorCode::kNotFound, "{}: the file is missing, but {} names it; download it",
           shard.string(), path.string());
    }
    check_shard(path.string(), shard, tensors, open_file(shard));
  }
}

// Returns the names of all its tensors, sorted.
std::vector<std::string> SafetensorsFile::open_file(const std::filesystem::path& path) {
  const InputFile& file = files_.open(path);
  SafetensorsHeader header = parse_safetensors_header(file.map(), file.name());
  std::vector<std::string> names;
  for (UnsupportedTensor& tensor : header.unsupported) {
    names.push_back(tensor.name);
    unsupported_.push_back(std::move(tensor));
  }
  for (ByteTensor& tensor : header.bytes) {
    bytes_.push_back({std::move(tensor.name), std::move(tensor.shape), files_.files().size() - 1,
                      tensor.offset});
  }
  for (size_t i = 0; i < header.tensors.size(); ++i) {
    names.push_back(header.tensors[i].name);
    files_.add(std::move(header.tensors[i]), header.offsets[i]);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace nibble
