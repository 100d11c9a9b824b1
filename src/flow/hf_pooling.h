// What a directory of Sentence Transformers says about making one vector of a text's.
#pragma once

#include <filesystem>
#include <optional>

#include "nibble/embed.h"

namespace nibble {

// From modules.json and the config.json of its pooling module; nullopt: it has no modules.json, or
// no such module. Errors: kUnsupported for a kind of pooling or of module that this version does
// not know, by name; kInvalidFile.
std::optional<Pooling> pooling_of_hf(const std::filesystem::path& folder);

}  // namespace nibble
