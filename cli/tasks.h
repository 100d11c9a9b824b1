// The tasks of `nibble evaluate`: options, and what is printed.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "nibble/tasks.h"

namespace nibble::cli {

struct TaskArguments {
  std::vector<std::string> tasks;  // "KIND=FILE" or "prompts"; empty: none are asked for
  std::filesystem::path items;     // where a record of each item goes; empty: nowhere
  TaskOptions options;
  std::string kv_type;  // of the model's cache; the reference's is f16

  CLI::Option* add_to(CLI::App& command);  // returns --tasks
};

// Checks where the file of items would go, and reads the tasks.
std::vector<Task> read_tasks(const TaskArguments& arguments);

// Reads the tasks, then evaluates the model, and the reference if there is one, which is loaded as
// it is stored; prints a table, or JSON. The file of items is written last.
void run_tasks(const TaskArguments& arguments, const std::filesystem::path& model,
               const std::filesystem::path& reference, const LoadOptions& load, bool as_json);

}  // namespace nibble::cli
