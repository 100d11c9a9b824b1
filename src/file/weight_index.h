// The index of a checkpoint in several files: which tensor lies in which
// (model.safetensors.index.json, pytorch_model.bin.index.json).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

// Opens a shard and returns the names of all its tensors, sorted.
using OpenShard = std::function<std::vector<std::string>(const std::filesystem::path&)>;

// Opens the shards, whose names end in `ending`, and checks that each holds what the index says.
// Errors: kInvalidFile when they contradict each other, kNotFound for a missing shard.
void open_weight_index(const std::filesystem::path& path, std::string_view ending,
                       const OpenShard& open);

}  // namespace nibble
