// Which type to quantize a model to: what each takes in memory, how fast it would be here, and what
// it is expected to lose, before anything is quantized.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/bench.h"
#include "nibble/machine.h"
#include "nibble/progress.h"

namespace nibble {

// How much expected loss (mean KL divergence from the unquantized model, in nats a token) a use
// puts up with. The limits are ours: each is set just above the published figure of the smallest
// k-quant that is commonly advised for it (docs/guides/recommend.md), not measured on tasks.
struct RecommendUse {
  std::string_view name;
  double largest_loss;
};
inline constexpr RecommendUse kRecommendUses[] = {
    {"code", 0.012},     // q5_k_m: one wrong token breaks a program, or a calculation
    {"chat", 0.035},     // q4_k_m
    {"creative", 0.11},  // q3_k_m: several continuations are good ones
};

struct RecommendOptions {
  RunOptions run;       // threads: those that the model would run with
  uint64_t ram = 0;     // bytes that may be taken; 0: what this machine has available now
  uint64_t vram = 0;    // of a GPU that other programs may put layers on; 0: none
  int64_t context = 0;  // tokens; 0: 8192, or what the model was trained for if that is less
  std::string use = "chat";
  double max_loss = 0;   // instead of the use's; 0: the use's
  double min_speed = 0;  // tokens per second of generation at the end of the context
  // Types as `nibble quantize -t` takes them; empty: those whose loss somebody published, and for a
  // model that is quantized already only itself ("copy").
  std::vector<std::string> types;
  bool measure = true;  // speed, some seconds; else it stays unknown
};

// Bytes that running takes, at most.
struct MemoryNeed {
  uint64_t weights = 0;
  uint64_t kv_cache = 0;  // of the whole context
  uint64_t working = 0;   // activations of 512 tokens, logits, what threads unpack
  uint64_t program = 0;   // the process without a model, and the vocabulary
  uint64_t peak = 0;      // of all together, loading included
};

// Tokens per second with the threads of the options, measured in runs of a few of the model's
// layers, filled with one value, of each type that its matrices would have.
struct ExpectedSpeed {
  double generation = 0;                  // with nothing before it
  double generation_at_full_context = 0;  // with the whole context before it
  double prompt = 0;                      // of 512 tokens, or of the context
};

struct ExpectedLoss {
  double kl = 0;       // nats a token
  std::string source;  // "estimate from ..." and "measured on ...": neither was on this model
};

// A type with a type of the KV cache.
struct RecommendCandidate {
  std::string type;     // "copy": the model as it is
  std::string kv_type;  // "f16", "q8_0/q4_0"
  uint64_t file_bytes = 0;
  double bits_per_weight = 0;
  MemoryNeed memory;
  std::optional<ExpectedSpeed> speed;
  ExpectedLoss loss;              // of both together
  bool wants_importance = false;  // the loss is that with an importance matrix
  bool fits = false;              // in RAM: nibble can run it
  // With a GPU: how many of the last layers fit there with their keys and values, the output
  // counted as one more (llama.cpp's -ngl), and whether the rest then fits in RAM. Other programs
  // only.
  int64_t gpu_layers = 0;
  bool fits_with_gpu = false;
};

struct Recommendation {
  Machine machine;
  std::optional<BenchLimits> limits;  // with RecommendOptions::measure
  std::string model;                  // its path
  std::string architecture;
  uint64_t weights = 0;  // how many it has
  int64_t layers = 0;
  uint64_t ram = 0;
  uint64_t vram = 0;
  int64_t context = 0;
  double max_loss = 0;
  std::vector<RecommendCandidate> candidates;  // files from large to small, KV types likewise
  size_t best = 0;                             // the recommended one of them
  std::string reason;                          // a sentence
  std::vector<std::string> commands;           // to run next
  std::vector<std::string> notes;              // sentences
};

// `model` is what quantize() takes, or a config.json, or a folder that has one but no weights.
// Of the candidates that fit, are fast enough and lose no more than allowed the fastest is
// recommended, of those within 5 % of its speed the one that loses least; where speeds are not
// known, the smallest file counts as the fastest. Errors: kUsage when nothing fits (saying what
// the smallest needs) or for options that make no sense; everything that can be wrong with the
// model's headers.
Recommendation recommend(const std::filesystem::path& model, const RecommendOptions& options);

}  // namespace nibble
