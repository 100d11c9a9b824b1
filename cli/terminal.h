// What commands share at the terminal: progress, interrupts, numbers as people read them.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "nibble/machine.h"
#include "nibble/model.h"
#include "nibble/progress.h"

namespace nibble::cli {

// Ctrl-C and SIGTERM set interrupted(), and work stops cleanly; a second one ends the process.
void catch_interrupts();
const std::atomic<bool>& interrupted();
void forget_interrupt();  // where one ended only a part of the work: the next is a first one again

// Options that every long command has.
struct CommonOptions {
  int threads = 0;
  bool quiet = false;
  bool json = false;

  void add_to(CLI::App& command);
  void add_output_to(CLI::App& command);  // all but --threads
  // Progress on stderr: a bar with rate and time left on a terminal, else a plain line for each
  // tenth; none if quiet.
  RunOptions run() const;
};

// The model that a command is about, wherever it may lie.
void add_model_option(CLI::App& command, std::filesystem::path& model);

// Options of every command that loads a model to run it.
void add_load_options(CLI::App& command, LoadOptions& load);
// The same for a model beside it, whose weights are taken as they are stored.
LoadOptions as_stored(LoadOptions load);

// What the KV cache is made of: "TYPE", or "KEYS/VALUES".
void add_kv_options(CLI::App& command, std::string& kv_type);

// What --help of the command shows first.
void show_usage(CLI::App& command, const std::string& text);

// On stdout. Bytes that are no UTF-8 are replaced, what is no finite number is null.
void show_json(const nlohmann::ordered_json& json);

// Error kInvalidFile that lists the problems found in a file, the first ones if there are many;
// nothing when there are none.
void report_problems(const std::filesystem::path& path, const std::vector<std::string>& problems);

// Each as a warning on stderr; the list again, for the field "conformance_problems" of JSON.
std::vector<std::string> show_warnings(const std::filesystem::path& model,
                                       std::vector<std::string> problems);

void end_progress();  // leaves a half-drawn bar's line

std::string read_text(const std::filesystem::path& path);  // a whole file; Error kNotFound

uint64_t parse_bytes(const std::string& text);  // "512MiB", "2GiB", "4.1GB", plain bytes; throws
                                                // CLI::ValidationError
double parse_share(const std::string& text);    // "1%", "0.01": above 0, at most 1; throws the same

}  // namespace nibble::cli
