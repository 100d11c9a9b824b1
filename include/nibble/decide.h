// Which of two models is better, at predicting a text or at answering questions, looking only at as
// much as it takes to know.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nibble/model.h"
#include "nibble/tasks.h"

namespace nibble {

struct DecideOptions {
  // Perplexities that differ by less count as equal: 0.005 means that neither is more than 0.5 %
  // above the other. Above 0, at most 1.
  double within = 0.005;
  int64_t context = 512;
  int64_t windows = 0;          // of the first so many only; 0: all
  std::string kv_type = "f16";  // of both models; see EvaluateOptions
};

enum class Outcome {
  kBetter,     // the model has a lower perplexity, or a higher score, than the other
  kWorse,      // the other way round
  kEqual,      // they differ by less than `within`
  kUndecided,  // there is not enough text, or questions, to say
};
std::string_view outcome_name(Outcome outcome);  // "better", "worse", "equal", "undecided"

struct Decision {
  Outcome outcome = Outcome::kUndecided;
  // The model's perplexity / the other's on the windows read, and an interval for all text of this
  // kind. With a probability of 95 % every interval on the way held, so stopping at will is allowed
  // and a decision is wrong in at most 5 % of cases. 0 and infinity when too few windows were read.
  double ratio = 1;
  double low = 0;
  double high = 0;
  int64_t windows = 0;            // read
  int64_t available_windows = 0;  // in the text
  int64_t tokens = 0;             // read by each of the two models
  double seconds = 0;             // without loading

  double share() const {
    return static_cast<double>(windows) / static_cast<double>(available_windows);
  }
};

// Windows, and which tokens of them are scored, are those of evaluate() without a stride. They are
// read in a random order, the same in each call, since the beginning of a text may be unlike the
// rest; after each the difference of the two models' mean -ln p of the window's tokens is one value
// of a confidence sequence (src/eval/confidence_sequence.h). The interval holds as far as windows
// drawn at random from the text stand for the texts that are meant. At least 16 are read.
// Errors: kUsage when options are out of range, the text has less than one window, or the models
// split it into other tokens.
Decision decide(const Model& model, const Model& other, std::string_view text,
                const DecideOptions& options = {}, const RunOptions& run = {});

struct TaskDecideOptions {
  // Scores that differ by less count as equal: 0.01 is one question of a hundred. Above 0, at most
  // 1.
  double within = 0.01;
  std::string kv_type = "f16";  // of both models
};

struct TaskDecision {
  Outcome outcome = Outcome::kUndecided;
  std::string_view score;  // the task's first: "acc", "exact_match", ...
  // The model's score less the other's over the items answered, and an interval for all items of
  // this kind, that holds as Decision's does; -1 and 1 when nothing is known.
  double difference = 0;
  double low = -1;
  double high = 1;
  int64_t items = 0;            // answered
  int64_t available_items = 0;  // in the task
  int64_t tokens = 0;           // read by the model
  double seconds = 0;           // without loading

  double share() const { return static_cast<double>(items) / static_cast<double>(available_items); }
};

// Items are answered in a random order, the same in each call, 16 at a time, and the differences of
// their scores are values of a confidence sequence (src/eval/bounded_sequence.h). Errors: those of
// evaluate_task(), and kUsage when `within` is out of range.
TaskDecision decide_task(const Model& model, const Model& other, const Task& task,
                         const TaskDecideOptions& options = {}, const RunOptions& run = {});

}  // namespace nibble
