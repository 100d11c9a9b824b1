// Arch: one row of data for each model family, the only place that knows what is special about it.
// A new family is a new row (model/arch/NAME.h, one line in model/archs.h); behaviour that no row
// has yet is a new field here and a branch where it acts.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace nibble {

struct Arch {
  std::string_view name;  // GGUF's general.architecture, and the prefix of its keys
  std::span<const std::string_view> hf_classes;      // what config.json's "architectures" may name
  std::span<const std::string_view> hf_model_types;  // likewise its "model_type"

  // Hugging Face stores q and k for RoPE on the pairs (i, i + n/2) of a head, GGUF for the pairs
  // (2i, 2i + 1): conversion reorders their rows.
  bool permutes_qk = false;

  // Tensors of checkpoints that are no weights (recomputed everywhere), by the end of their names.
  std::span<const std::string_view> ignored_suffixes;
};

const Arch* find_arch(std::string_view gguf_name);  // nullptr: not supported
const Arch* find_arch_of_hf_class(std::string_view hf_class);
const Arch* find_arch_of_hf_model_type(std::string_view model_type);
std::string supported_archs();  // "llama, ...", for messages

}  // namespace nibble
