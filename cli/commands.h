// The list of commands: one file each; main() adds them all.
#pragma once

#include <CLI/CLI.hpp>

namespace nibble::cli {

void add_quantize(CLI::App& app);
void add_plan(CLI::App& app);
void add_inspect(CLI::App& app);
void add_calibrate(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_run(CLI::App& app);
void add_embed(CLI::App& app);
void add_bench(CLI::App& app);
void add_compare(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_split(CLI::App& app);
void add_join(CLI::App& app);
void add_verify(CLI::App& app);
void add_recommend(CLI::App& app);

}  // namespace nibble::cli
