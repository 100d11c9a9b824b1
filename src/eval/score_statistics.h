// The scores of a text's positions, summed up.
#pragma once

#include <vector>

#include "eval/score.h"
#include "eval/windowed_mean.h"
#include "nibble/divergence.h"

namespace nibble {

class ScoreStatistics {
 public:
  // Without a reference only `nll` of scores is looked at. With one, 8 bytes are kept of each, for
  // exact percentiles.
  explicit ScoreStatistics(bool has_reference, bool is_sampled = false)
      : has_reference_(has_reference), is_sampled_(is_sampled) {}

  void add(const Score& score);
  void end_window();

  int64_t count() const { return nll_.count(); }
  double nll() const { return nll_.mean(); }
  Estimate perplexity() const;
  Divergence divergence() const;  // at least one score was added
  // Means of each window.
  const std::vector<double>& window_kl() const { return kl_.window_means(); }
  const std::vector<double>& window_agreement() const { return same_top_.window_means(); }

 private:
  SamplingInterval sampling_interval() const;

  bool has_reference_, is_sampled_;
  double least_kl_ = 0, sampling_variance_ = 0;  // sums
  WindowedMean nll_, reference_nll_, log_ratio_, kl_, delta_p_, delta_p_squared_, same_top_;
  std::vector<float> kls_, delta_ps_;
};

Percentiles percentiles_of(std::vector<float> values);  // at least one

}  // namespace nibble
