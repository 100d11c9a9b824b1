// Quantizing a model to one or more GGUF files in one read of the source.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/dtype.h"
#include "nibble/effort.h"
#include "nibble/progress.h"

namespace nibble {

// How weights are rounded, beside their type.
enum class Method {
  kAuto,      // the last of these that the options have what it takes for
  kNearest,   // all columns alike
  kWeighted,  // scales by how much each column matters: takes an importance matrix
  kGptq,      // and each column makes up for the errors of those before it: takes second moments
};

// Whether columns are made larger or smaller before they are rounded, and what they multiply
// smaller or larger (docs/guides/quality.md).
enum class Scaling {
  kNone,
  kAwq,  // by activations, folded into the tensors before: takes an importance matrix
};

// In which order error feedback rounds the columns of a matrix.
enum class ColumnOrder {
  kNatural,
  kActivation,  // blocks of 256 columns (or of 32) with the largest activations first
};

struct QuantizeTarget {
  // A type or built-in recipe ("q8_0", "Q4_K_M"), its number in general.file_type ("15"), the path
  // of a .recipe file, or "copy": every tensor as it is stored.
  std::string type;
  std::filesystem::path path;  // the GGUF to write; an existing file is replaced at the end
  // Of a `type` X.recipe: its text, instead of a file's. Empty: there is a file.
  std::string recipe = {};
};

struct QuantizeOptions {
  RunOptions run;
  bool pure = false;              // the recipe's base type for every tensor that can be quantized
  bool allow_requantize = false;  // accept a source that is quantized already, and lose twice
  // An importance matrix of nibble calibrate or llama-imatrix (.dat or GGUF), with or without
  // second moments (CalibrateOptions::moments). Of its entries only those are used whose tensor
  // names contain one of include_weights, or none of exclude_weights (not both).
  std::filesystem::path imatrix;
  std::vector<std::string> include_weights;
  std::vector<std::string> exclude_weights;
  Method method = Method::kAuto;
  Scaling scaling = Scaling::kNone;           // with one target
  ColumnOrder order = ColumnOrder::kNatural;  // of the method gptq
  // Types of single tensors, before the recipe, each by name ("q6_k"); empty: the recipe's.
  std::string output_type;  // of output.weight, or of the token embedding that serves as output
  std::string token_embedding_type;
  bool leave_output = false;  // output.weight keeps the type that it has
  // "PATTERN=TYPE": an ECMAScript regular expression in any letter case, found anywhere in a name.
  // The first that matches decides; those of the file, one a line, come last.
  std::vector<std::string> tensor_types;
  std::filesystem::path tensor_type_file;
  // "KEY=TYPE:VALUE" with TYPE int, float, bool or str: metadata of the model and of the outputs.
  std::vector<std::string> override_keys;
  std::vector<uint64_t> prune_layers;  // layers to leave out; the others are numbered anew
  Effort effort = Effort::kDefault;    // time for a lower error
  // Conformance vectors (docs/formats/gguf.md): of a Hugging Face directory they are made, unless
  // override_keys change its tokenizer; of a GGUF they stay. false: outputs
  // have none.
  bool conformance = true;
  // The lock record (docs/formats/lock.md; about 80 bytes a tensor), by which a file can be
  // verified and a finished one is left as it is by `resume`. false: outputs have none.
  bool lock_record = true;
  // A source that is split over several GGUF files: split the outputs where it is. `path` of a
  // target X.gguf becomes X-00001-of-0000N.gguf and so on.
  bool keep_split = false;
  bool dry_run = false;  // plan and report, but write nothing
  // Go on with what an earlier call of the same kind left unfinished, and leave finished targets as
  // they are. Otherwise such work is begun anew.
  bool resume = false;
  uint64_t memory_limit = uint64_t{2} << 30;  // bytes of buffers, whatever the size of the model
};

struct QuantizedFile {
  std::string type;
  std::filesystem::path path;
  uint64_t bytes = 0;
  uint64_t bytes_resumed = 0;  // of these, what an earlier call had written
  uint64_t weights = 0;
  double bits_per_weight = 0;  // of the tensors, as they came out
  // Tensors whose rows no block of the recipe's type divides, and what they got instead.
  struct Fallback {
    std::string tensor;
    DType wanted;
    DType used;
  };
  std::vector<Fallback> fallbacks;
  struct Tensor {
    std::string name;
    DType type;
    uint64_t bytes;
  };
  std::vector<Tensor> tensors;        // as they came out, in the file's order
  std::vector<std::string> warnings;  // what the user should know: sentences
  // The value of tokenizer.ggml.pre where it stands for another behaviour than the source's
  // tokenizer has, as no name stands for that; empty: it does not.
  std::string unmatched_pre_tokenizer;
};

struct QuantizeResult {
  std::vector<QuantizedFile> files;
  Method method = Method::kNearest;  // that was used, never kAuto
  size_t importance_tensors = 0;     // that the importance matrix speaks of
  size_t feedback_tensors = 0;       // of these, with second moments
  // Of these, such that had a matrix whose moments are of no use (all zero, or no moments of
  // anything), which was rounded by importance alone; as far as this call wrote them.
  std::vector<std::string> unusable_moments;
  size_t scaled_inputs = 0;  // whose columns were scaled
  // Experts of them that met so little of the calibration text that what is known of them is mostly
  // the mean over all experts of their tensor.
  size_t pooled_experts = 0;
  double seconds = 0;
  uint64_t source_bytes = 0;  // read
  uint64_t peak_buffer_bytes = 0;
};

// `model` is a Hugging Face directory, a .gguf (the first of a split) or a .safetensors with its
// config beside it. A file gets its name when it is complete. Until then it is TARGET.part with
// TARGET.journal beside it; both stay after kCancelled, kNoSpace, kIo or a crash, for
// QuantizeOptions::resume, and go after other errors, unless an earlier call left them. Errors:
// everything that can be wrong with the model, recipe or targets.
QuantizeResult quantize(const std::filesystem::path& model,
                        const std::vector<QuantizeTarget>& targets,
                        const QuantizeOptions& options = {});

// The files of a call with these arguments that an earlier one left unfinished. Errors: those of
// opening the model, when the options have keep_split.
std::vector<std::filesystem::path> find_unfinished(const std::filesystem::path& model,
                                                   std::vector<QuantizeTarget> targets,
                                                   const QuantizeOptions& options = {});

// Types and built-in recipes that `type` may name.
std::vector<std::string> quantize_types();

// The name in quantize_types() for another letter case, an alias of llama.cpp's ("Q4_K" is q4_k_m)
// or a number of general.file_type ("15"); std::nullopt when there is none.
std::optional<std::string> find_quantize_type(std::string_view text);

// "auto", "nearest", "weighted", "gptq"; std::nullopt for another name.
std::string_view method_name(Method method);
std::optional<Method> method_from_name(std::string_view name);

// "natural", "activation"; std::nullopt for another name.
std::string_view column_order_name(ColumnOrder order);
std::optional<ColumnOrder> column_order_from_name(std::string_view name);

// "none", "awq"; std::nullopt for another name.
std::string_view scaling_name(Scaling scaling);
std::optional<Scaling> scaling_from_name(std::string_view name);

// "fast", "default", "best"; std::nullopt for another name.
std::string_view effort_name(Effort effort);
std::optional<Effort> effort_from_name(std::string_view name);

}  // namespace nibble
