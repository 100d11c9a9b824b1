// A confidence sequence (eval/confidence_sequence.h) for values in [-1, 1], as differences between
// two models' scores of a question are. Most of those are 0, so that a few say nothing of how they
// scatter and the one for windows of text would be sure too early; this one holds for any
// distribution, at any number of values.
//
// The method is betting (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
// betting", Journal of the Royal Statistical Society B 2024, arXiv:2010.09686): against each
// candidate m for the mean someone bets that the next value will be above it, and someone else that
// it will be below, in a game that is fair if m is the mean. Half of the capital belongs to each; a
// candidate is excluded while either has 1 / error times what both began with, which happens to the
// true mean at any time with a probability of at most `error` (Ville's inequality).
#pragma once

#include <cstdint>
#include <vector>

namespace nibble {

class BoundedSequence {
 public:
  static constexpr double kError = 0.05;

  void add(double value);

  int64_t count() const { return static_cast<int64_t>(bets_.size()); }
  double mean() const;
  // Takes time in proportion to the values.
  bool excludes(double candidate) const;
  // The ends of the interval, to 1e-4 on the outer side.
  double low() const;
  double high() const;

 private:
  // Values and means in [0, 1]: halfway between.
  struct Bet {
    double value;
    double share;  // of the capital, from the values before
  };
  double edge(double outside, double inside) const;

  std::vector<Bet> bets_;
  double sum_ = 0, squares_ = 0;  // squares: of the distances from the mean so far
};

}  // namespace nibble
