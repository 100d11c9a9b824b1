// The argument order of llama-quantize, so that scripts carry over:
//
//   nibble quantize [OPTIONS] IN.gguf [OUT.gguf] TYPE [THREADS]
//
// TYPE is a name in any letter case or a number of general.file_type. Without OUT.gguf the file is
// ggml-model-TYPE.gguf beside IN.gguf.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nibble/quantize.h"

namespace nibble::cli {

struct ClassicArguments {
  QuantizeTarget target;
  std::optional<int> threads;
};

// `rest` is what follows IN.gguf. Throws CLI::ValidationError for what makes no sense.
ClassicArguments parse_classic_arguments(const std::filesystem::path& model,
                                         const std::vector<std::string>& rest);

}  // namespace nibble::cli
