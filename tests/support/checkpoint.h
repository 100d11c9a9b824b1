// A Hugging Face checkpoint as rooms below flow see it: config, tensors under GGUF names, weights.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "file/hf_directory.h"
#include "model/forward.h"
#include "model/hf_config.h"
#include "model/renamed.h"
#include "model/weights.h"
#include "support/files.h"

namespace nibble {

struct Checkpoint {
  explicit Checkpoint(const std::filesystem::path& folder)
      : directory(folder),
        arch(arch_from_hf_config(directory.config())),
        metadata(metadata_from_hf_config(arch, directory.config(), "test")),
        config(config_from_metadata(metadata)),
        tensors(directory, arch, options()),
        weights(tensors, config) {}

  RenamedOptions options() const {
    RenamedOptions result = renamed_options(arch, directory.config(), metadata);
    result.origin = directory.folder().string();
    return result;
  }

  HfDirectory directory;
  const Arch& arch;
  Metadata metadata;
  ModelConfig config;
  Renamed tensors;
  Weights weights;
};

// The tokens that the reference logits of lab-7m belong to.
inline const std::filesystem::path kLab7mTokens =
    repository_path("tests/golden/lab-7m/reference_tokens.json");

// A list of token ids, by itself or under "tokens" or "ids".
inline std::vector<uint32_t> read_tokens(const std::filesystem::path& path) {
  const Json json = parse_json(read_file(path), path.string());
  const Json& list = json.is_array()           ? json
                     : json.contains("tokens") ? json["tokens"]
                                               : json["ids"];
  return list.get<std::vector<uint32_t>>();
}

}  // namespace nibble
