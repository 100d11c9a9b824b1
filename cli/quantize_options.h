// What says how weights are rounded, wherever that is chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "nibble/quantize.h"

namespace nibble::cli {

// Options that are names or sizes until read() is called.
struct QuantizeSettings {
  std::string memory = "2GiB";
  std::string effort = "default";
  std::string method = "auto";
  std::string scaling = "none";
  std::string order = "natural";
  QuantizeOptions options;

  void add_method_to(CLI::App& command);  // --memory, --effort, --method
  void read();
};

void add_importance_options(CLI::App& command, QuantizeOptions& options);
void add_type_options(CLI::App& command, QuantizeOptions& options);

}  // namespace nibble::cli
