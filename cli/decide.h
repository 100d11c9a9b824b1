// nibble evaluate --against --decide: which of two models is better, from as little text as it
// takes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "nibble/decide.h"

namespace nibble::cli {

// `within`: a share as people write it, "0.5%". `load` is what the model was loaded with; the other
// is loaded in the same way, but as it is stored.
void decide_between(const Model& model, const std::filesystem::path& other, const std::string& text,
                    DecideOptions options, const std::string& within, const LoadOptions& load,
                    bool as_json);

void decide_tasks_between(const Model& model, const std::filesystem::path& other,
                          const std::vector<Task>& tasks, TaskDecideOptions options,
                          const std::string& within, const LoadOptions& load, bool as_json);

}  // namespace nibble::cli
