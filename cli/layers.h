// nibble evaluate --layers: where a model loses what it loses.
#pragma once

#include <filesystem>
#include <string>

#include "cli/terminal.h"
#include "nibble/layers.h"

namespace nibble::cli {

void evaluate_layers(const Model& model, const std::filesystem::path& reference,
                     const std::string& text, const LayerOptions& options,
                     const CommonOptions& common);

}  // namespace nibble::cli
