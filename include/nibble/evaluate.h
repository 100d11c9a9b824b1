// Measuring a model on a text: perplexity, and how far it is from a reference.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/divergence.h"
#include "nibble/model.h"

namespace nibble {

// The protocol is that of llama-perplexity: the text's tokens (BOS in front) are cut into windows
// of `context`, a rest is left out; in each window the first token is replaced by BOS, and the
// tokens after the first half are scored. With a stride (its --ppl-stride) windows of context +
// stride / 2 tokens, rounded up to a multiple of 32, begin every `stride` tokens, nothing is
// replaced, and the last `stride` tokens of each are scored.
// Of stored references: compact (docs/formats/reference.md), or that of llama-perplexity's
// --kl-divergence-base, which takes 50 times the room or more and needs no sampling.
enum class ReferenceFormat { kCompact, kStock };

struct EvaluateOptions {
  int64_t context = 0;  // 0: that of a stored reference, else 512
  int64_t windows = 0;  // the first so many only; 0: all
  int64_t stride = 0;   // 0: windows side by side
  // Of the KV cache: f32, f16, bf16, q8_0 or q4_0, or two of them as "q8_0/q4_0" for keys and
  // values.
  std::string kv_type = "f16";
  // A model, which is run beside this one with f16 in its KV cache and activations rounded alike,
  // or a stored reference (docs/formats/reference.md). Empty: perplexity only.
  std::filesystem::path reference{};
  // A model that is loaded already, instead.
  const Model* reference_model = nullptr;
  // Stores this model's predictions there, to be a reference later; a file of that name is
  // replaced.
  std::filesystem::path save_reference{};
  ReferenceFormat reference_format = ReferenceFormat::kCompact;
};

struct Evaluation {
  Estimate perplexity;                   // e to the mean negative log-likelihood per scored token
  double nll = 0;                        // that mean, natural logarithm
  std::optional<Divergence> divergence;  // from the reference, if there is one
  // Means of each window, in the text's order: of the KL divergence and of the agreement.
  std::vector<double> window_kl, window_agreement;
  int64_t context = 0;
  int64_t windows = 0;
  int64_t scored_tokens = 0;
  int64_t processed_tokens = 0;
  double seconds = 0;  // without loading
};

// Without a text the tokens of the stored reference are read. Memory: that of the models, logits of
// some dozens of positions, 4 bytes for each token of the text and 8 for each scored one that is
// compared. Errors: kUsage when the text has less than one window, options are out of range, or the
// reference is of other tokens, another vocabulary or another context; those of reading and
// writing files.
Evaluation evaluate(const Model& model, std::optional<std::string_view> text,
                    const EvaluateOptions& options = {}, const RunOptions& run = {});

}  // namespace nibble
