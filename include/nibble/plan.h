// Which type for which tensor: the least loss that a size allows, or the least size that a loss
// allows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nibble/calibrate.h"
#include "nibble/divergence.h"
#include "nibble/quantize.h"

namespace nibble {

// What a file must keep to: one of the first five; min_speed may stand beside each of them, or
// alone.
struct Goal {
  uint64_t bytes = 0;          // the whole file, at most
  double bits_per_weight = 0;  // of all tensors, at most
  // What running it takes, at most (recommend.h: weights, KV cache, working memory, the program),
  // with `context` tokens (0: as recommend() chooses) and a KV cache of kv_type.
  uint64_t memory = 0;
  int64_t context = 0;
  std::string kv_type = "f16";
  // Contracts: held on a text that neither calibration nor the choice of types has seen, with a
  // confidence of 97.5 % (docs/guides/planning.md).
  double max_kl = 0;         // mean KL divergence from the unquantized model, nats a token, at most
  double min_agreement = 0;  // share of tokens with the same likeliest one, at least
  // Tokens per second of generation with an empty context, by measured speeds of kernels with the
  // threads of the options, at least.
  double min_speed = 0;

  bool is_contract() const { return max_kl > 0 || min_agreement > 0; }
  bool is_set() const {
    return bytes > 0 || bits_per_weight > 0 || memory > 0 || is_contract() || min_speed > 0;
  }
};

struct TypePlanOptions {
  Goal goal;
  // Run options, method, effort, statistics (imatrix), and what is said about single tensors, which
  // stands. Without statistics the texts are calibrated on first.
  QuantizeOptions quantize;
  // What calibration reads (without quantize.imatrix), and of which the first sensitivity_tokens
  // tell how much each tensor matters. Of a contract without `held_back` the last fifth of each is
  // kept for measuring.
  std::vector<CalibrationText> texts;
  std::vector<CalibrationText> held_back;
  int64_t context = 512;  // tokens in a window of any of them
  int64_t sensitivity_tokens = 4096;
  int64_t held_back_windows = 0;  // 0: all
  // Types that are chosen from, by name; empty: default_plan_types(). Tensors whose rows the blocks
  // of some do not divide may get those of 32 weights (iq4_nl, q4_1, q5_0, q5_1, q8_0) as well.
  std::vector<std::string> types;
  // Where the measured sensitivities are kept, for another goal or to go on after an interrupt; a
  // file of the same model, texts and options is gone on with. Empty: nowhere.
  std::filesystem::path sensitivity;
};

struct TypePlan {
  std::string recipe;  // its text, for QuantizeTarget
  uint64_t file_bytes = 0;
  double bits_per_weight = 0;
  double predicted_kl = 0;  // the sum of the tensors' losses, as corrected by what was measured
  std::optional<double> predicted_speed;  // with Goal::min_speed
  struct Tensor {
    std::string name;
    DType type;
    uint64_t bytes;
    std::optional<double> loss;  // nats a token; none: its type was not chosen
  };
  std::vector<Tensor> tensors;  // in the file's order
  std::vector<std::string> notes;
};

std::vector<std::string> default_plan_types();

// Errors: kUsage for goals that contradict each other or that cannot be met, saying what is
// possible; those of calibrate(), quantize() and reading.
TypePlan plan_types(const std::filesystem::path& model, const TypePlanOptions& options);

// One attempt at a contract.
struct ContractAttempt {
  uint64_t file_bytes = 0;
  double predicted_kl = 0;
  Estimate kl;
  Estimate agreement;
  double kl_bound = 0;         // on another text at most, with the confidence of contracts
  double agreement_bound = 0;  // likewise at least
  bool is_met = false;         // by the bound
};

struct GoalResult {
  QuantizeResult quantized;
  TypePlan plan;
  std::vector<ContractAttempt> attempts;  // of a contract; the file is that of the smallest met
  size_t kept = 0;                        // of them
  int64_t held_back_tokens = 0;           // that were scored in each
};

// Plans, quantizes to `output` and, for a contract, measures, corrects and does so again, at most
// kContractAttempts times. What takes long (statistics, sensitivities) is kept in the folder
// OUTPUT.work until the file is finished, and gone on with by QuantizeOptions::resume. Errors:
// those of plan_types() and quantize(); kUsage when the contract was not met, with what was
// measured.
inline constexpr int kContractAttempts = 4;
GoalResult quantize_to_goal(const std::filesystem::path& model, const std::filesystem::path& output,
                            const TypePlanOptions& options);

}  // namespace nibble
