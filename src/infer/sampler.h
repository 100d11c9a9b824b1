// Sampler: which token comes next. The steps, in order:
//
//   repetition penalty   logits of recent tokens: divided if positive, multiplied if negative
//                        (Keskar et al. 2019, arXiv:1909.05858)
//   top-k                the k largest
//   top-p                the fewest of these, largest first, whose probabilities sum up to p
//                        (Holtzman et al. 2019, arXiv:1904.09751)
//   min-p                those with at least this share of the largest probability
//                        (Nguyen et al. 2024, arXiv:2407.01082)
//   temperature          logits divided by it; 0 takes the largest
//   draw                 from the softmax of what is left
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace nibble {

struct SamplerOptions {
  float temperature = 0.8f;         // >= 0; 0: greedy, of equal logits the lowest id
  int top_k = 40;                   // >= 0; 0: off
  float top_p = 0.95f;              // in (0, 1]; 1: off
  float min_p = 0.05f;              // in [0, 1]; 0: off
  float repetition_penalty = 1.0f;  // > 0; 1: off
  int repetition_window = 64;       // >= 0: how many of the accepted tokens count as recent
  uint64_t seed = 0;                // the same ids for the same logits and seed
};

class Sampler {
 public:
  // Error kUsage for an option out of its range.
  explicit Sampler(const SamplerOptions& options);

  // One logit for each token; -infinity rules a token out. Errors: kUsage when there is none to
  // choose from; kInvalidFile for NaN and +infinity, which no sound model computes.
  uint32_t sample(std::span<const float> logits);

  // Makes a token a recent one: the prompt's, and what was sampled.
  void accept(uint32_t token);

 private:
  struct Candidate {
    float logit;
    uint32_t id;
    double weight;  // proportional to the probability
  };

  void collect(std::span<const float> logits);
  void penalize_recent();
  uint32_t best() const;
  void keep_top_k();
  void keep_top_p();
  void keep_min_p();
  void weigh(double temperature);
  uint32_t draw();

  SamplerOptions options_;
  Random random_;
  std::vector<uint32_t> recent_;  // a ring of repetition_window tokens
  size_t oldest_ = 0;
  std::vector<Candidate> candidates_;  // sorted from the top-k step on
};

}  // namespace nibble
