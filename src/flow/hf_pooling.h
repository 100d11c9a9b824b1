// What a directory of Sentence Transformers says about making one vector of a text's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "nibble/embed.h"

namespace nibble {

// The text of modules.json: the folder of its pooling module, below that of the model; nullopt: it
// has none. Errors: kUnsupported for a kind of module that this version does not know, by name;
// kInvalidFile. Messages begin with `file_name`.
std::optional<std::filesystem::path> pooling_folder_of(std::string_view modules,
                                                       const std::string& file_name);

// The text of the config.json there. Errors: kUnsupported for other kinds of pooling and for
// several at once; kInvalidFile.
Pooling pooling_of_config(std::string_view config, const std::string& file_name);

// Of a directory; nullopt: it has no modules.json, or no pooling module. Errors: those of both, and
// of reading the files.
std::optional<Pooling> pooling_of_hf(const std::filesystem::path& folder);

}  // namespace nibble
