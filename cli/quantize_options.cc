#include "cli/quantize_options.h"

#include "cli/terminal.h"

namespace nibble::cli {

void QuantizeSettings::read() {
  options.memory_limit = parse_bytes(memory);
  options.method = method_from_name(method).value();      // one of the four
  options.scaling = scaling_from_name(scaling).value();   // one of the two
  options.order = column_order_from_name(order).value();  // one of the two
  options.effort = effort_from_name(effort).value();      // one of the three
}

void QuantizeSettings::add_method_to(CLI::App& command) {
  command.add_option("--memory", memory, "most bytes of buffers, e.g. 512MiB (default: 2GiB)")
      ->type_name("SIZE");
  command.add_option("--effort", effort, "time for a lower error: fast, default or best")
      ->check(CLI::IsMember({"fast", "default", "best"}))
      ->type_name("EFFORT");
  command
      .add_option("--method", method,
                  "how weights are rounded: nearest, weighted (by --imatrix), gptq (with the "
                  "second moments of nibble calibrate --moments); default: the last that there is "
                  "what it takes for")
      ->check(CLI::IsMember({"auto", "nearest", "weighted", "gptq"}))
      ->type_name("METHOD");
  command
      .add_option("--scaling", scaling,
                  "awq: columns that multiply large activations are made larger before they are "
                  "rounded, and what comes before smaller (default: none)")
      ->check(CLI::IsMember({"none", "awq"}))
      ->type_name("SCALING");
  command
      .add_option(
          "--order", order,
          "in which error feedback rounds columns: natural (default), or activation: blocks "
          "of them with the largest activations first")
      ->check(CLI::IsMember({"natural", "activation"}))
      ->type_name("ORDER");
}

void add_importance_options(CLI::App& command, QuantizeOptions& options) {
  command
      .add_option("--imatrix", options.imatrix,
                  "importance matrix of nibble calibrate or llama-imatrix: errors count by it")
      ->type_name("FILE");
  command
      .add_option("--include-weights", options.include_weights,
                  "use it only for tensors whose names contain this (repeatable)")
      ->allow_extra_args(false)
      ->needs("--imatrix")
      ->type_name("TEXT");
  command
      .add_option("--exclude-weights", options.exclude_weights,
                  "do not use it for tensors whose names contain this (repeatable)")
      ->allow_extra_args(false)
      ->needs("--imatrix")
      ->excludes("--include-weights")
      ->type_name("TEXT");
}

void add_type_options(CLI::App& command, QuantizeOptions& options) {
  command.add_option("--output-tensor-type", options.output_type, "type of the output matrix")
      ->type_name("TYPE");
  command
      .add_option("--token-embedding-type", options.token_embedding_type,
                  "type of the token embedding")
      ->type_name("TYPE");
  command
      .add_option("--tensor-type", options.tensor_types,
                  "type of tensors whose names match a regular expression (repeatable)")
      ->allow_extra_args(false)
      ->type_name("PATTERN=TYPE");
  command.add_option("--tensor-type-file", options.tensor_type_file, "the same, one a line")
      ->type_name("FILE");
  command
      .add_flag("--leave-output-tensor", options.leave_output, "the output matrix stays as it is")
      ->excludes("--output-tensor-type");
  command.add_flag("--pure", options.pure, "the recipe's base type for every matrix");
}

}  // namespace nibble::cli
