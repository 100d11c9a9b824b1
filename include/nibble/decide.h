// Which of two models predicts a text better, read only as far as it takes to know.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nibble/model.h"

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
  kBetter,     // the model has a lower perplexity than the other
  kWorse,      // a higher one
  kEqual,      // they differ by less than `within`
  kUndecided,  // the text is not long enough to say
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

}  // namespace nibble
