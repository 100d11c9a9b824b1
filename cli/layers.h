// nibble evaluate --layers: where a model loses what it loses.
#pragma once

#include <filesystem>
#include <string>

#include "cli/terminal.h"
#include "nibble/layers.h"

namespace nibble::cli {

// The reference is loaded as the model was, but as it is stored.
void evaluate_layers(const Model& model, const std::filesystem::path& reference,
                     const std::string& text, const LayerOptions& options, const LoadOptions& load,
                     bool as_json);

}  // namespace nibble::cli
