#include "file/weight_index.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/input_file.h"
#include "base/json.h"
#include "file/byte_reader.h"

namespace nibble {
namespace {

constexpr uint64_t kMaxIndexBytes = 100'000'000;

using Shards =
    std::map<std::string, std::vector<std::string>>;  // file name -> tensor names, sorted

// A shard stands beside its index: a hostile index must not reach other folders.
void check_shard_name(const std::string& shard, const std::string& index_name,
                      std::string_view ending) {
  if (shard.find('/') == std::string::npos && shard.ends_with(ending)) return;
  fail(ErrorCode::kInvalidFile,
       "{}: \"weight_map\": found the file \"{}\", expected the name of a {} file in the "
       "same folder",
       index_name, printable(shard), ending);
}

Shards read_index(const std::filesystem::path& path, std::string_view ending) {
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
  for (const auto& [shard, tensors] : shards) check_shard_name(shard, path.string(), ending);
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

void open_weight_index(const std::filesystem::path& path, std::string_view ending,
                       const OpenShard& open) {
  for (const auto& [name, tensors] : read_index(path, ending)) {
    const auto shard = path.parent_path() / name;
    if (is_missing(shard)) {
      fail(ErrorCode::kNotFound, "{}: the file is missing, but {} names it; download it",
           shard.string(), path.string());
    }
    check_shard(path.string(), shard, tensors, open(shard));
  }
}

}  // namespace nibble
