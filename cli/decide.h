// nibble evaluate --against --decide: which of two models is better, from as little text as it
// takes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "nibble/decide.h"

namespace nibble::cli {

// `within`: a share as people write it, "0.5%". The other model is loaded as it is stored.
void decide_between(const Model& model, const std::filesystem::path& other, const std::string& text,
                    DecideOptions options, const std::string& within, const CommonOptions& common,
                    Activations activations);

void decide_tasks_between(const Model& model, const std::filesystem::path& other,
                          const std::vector<Task>& tasks, TaskDecideOptions options,
                          const std::string& within, const CommonOptions& common);

}  // namespace nibble::cli
