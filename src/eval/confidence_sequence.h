// Intervals for a mean that hold at every moment of a measurement, so that one may look after each
// value and stop when enough is known. (A 95 % interval for a fixed number of values that is looked
// at again and again is wrong at some moment far more often than in 5 % of cases.)
//
// The method: the values' mean is tested against each candidate m by the Bayes factor of Student's
// t, the effect size (mean - m) / deviation being normal with mean 0 and variance 1 / typical under
// the alternative. It is a test martingale under m for normal values of unknown variance (Perez-
// Ortiz, Lardy, de Heide, Grunwald, "E-statistics, group invariance and anytime-valid testing",
// Annals of Statistics 2024; Wang and Ramdas, "Anytime-valid t-tests and confidence sequences for
// Gaussian means with unknown variance", arXiv:2310.03722), so by Ville's inequality it exceeds
// 1 / error at any time with a probability of at most `error`; the candidates that it does not
// exclude are the interval. For many values it becomes the asymptotic confidence sequence of
// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (arXiv:2103.06476), which needs no normality.
#pragma once

#include <cstdint>

namespace nibble {

// The number of standard errors that `count` values are sure to within at all times together;
// infinite below two values and while the error asked for is out of reach. `typical`: the count
// for which the interval is to be about as narrow as it can be; with others it is a little wider.
double anytime_standard_errors(int64_t count, double error, double typical);

// Of differences between two models, one for each window of a text.
class ConfidenceSequence {
 public:
  // Before that many values nothing is said: of skewed ones the rare large one has often not come
  // yet, and the deviation is taken for smaller than it is.
  static constexpr int64_t kLeast = 16;
  static constexpr double kError = 0.05;
  // With it pairs of lab-7m's types are decided after 17 to 110 windows; 16 would miss more than
  // 5 % of the time where values are skewed by 1.75, which is more than differences between
  // windows were seen to be (0.3). A skewness of 6 is too much for 32, too: it misses in 11 %.
  static constexpr double kTypical = 32;

  void add(double value);

  int64_t count() const { return count_; }
  double mean() const { return mean_; }
  double half_width() const;  // infinite below kLeast values
  double low() const { return mean_ - half_width(); }
  double high() const { return mean_ + half_width(); }

 private:
  int64_t count_ = 0;
  double mean_ = 0, squares_ = 0;  // Welford's: the sum of squared distances from the mean
};

}  // namespace nibble
