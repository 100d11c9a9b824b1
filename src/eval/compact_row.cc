#include "eval/compact_row.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "base/random.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kPiece = 256;      // logits whose exponentials are summed up together
constexpr float kFarBelow = 100.0f;  // e^-100 is nothing beside 1

double f(double x) { return x + std::expm1(-x); }

struct Logit {
  float value;
  uint32_t id;
};

// The larger logit first, of equal ones the lower id.
bool comes_first(const Logit& a, const Logit& b) {
  return a.value > b.value || (a.value == b.value && a.id < b.id);
}

std::vector<Logit> find_top(const float* logits, int64_t vocab_size, int64_t count) {
  std::vector<Logit> top;  // a heap: the last of them in front
  for (int64_t i = 0; i < vocab_size; ++i) {
    const Logit logit = {logits[i], static_cast<uint32_t>(i)};
    if (static_cast<int64_t>(top.size()) == count) {
      if (!(logit.value > top.front().value)) continue;
      std::ranges::pop_heap(top, comes_first);
      top.pop_back();
    }
    top.push_back(logit);
    std::ranges::push_heap(top, comes_first);
  }
  std::ranges::sort_heap(top, comes_first);
  return top;
}

// Sums of e^(logit - largest), piece by piece.
std::vector<double> sum_pieces(const float* logits, int64_t vocab_size, float largest) {
  std::vector<double> sums;
  for (int64_t i = 0; i < vocab_size; i += kPiece)
    sums.push_back(operations().sum_exp(logits + i, std::min(kPiece, vocab_size - i), largest));
  return sums;
}

// Where the sum of e^(logit - largest) passes `target`, in a piece.
int64_t find_in_piece(const float* logits, int64_t begin, int64_t end, float largest,
                      double target) {
  int64_t found = begin;
  for (int64_t i = begin; i < end && target >= 0; ++i) {
    const double term = std::exp(static_cast<double>(logits[i] - largest));
    if (logits[i] > largest - kFarBelow) found = i;  // not what was taken out
    target -= term;
  }
  return found;
}

}  // namespace

void fill_compact_row(float* logits, int64_t vocab_size, uint32_t next, uint64_t seed,
                      const CompactLayout& layout, CompactRow& row) {
  const float largest = operations().largest(logits, vocab_size);
  const double log_sum =
      static_cast<double>(largest) + std::log(operations().sum_exp(logits, vocab_size, largest));
  const auto log_p = [&](float logit) {
    return static_cast<float>(static_cast<double>(logit) - log_sum);
  };
  row.next_log_p = log_p(logits[next]);
  row.top.clear();
  for (const auto& [value, id] : find_top(logits, vocab_size, layout.top)) {
    row.top.push_back({id, log_p(value)});
    logits[id] = largest - 2 * kFarBelow;  // what is left is the tail
  }
  const auto pieces = sum_pieces(logits, vocab_size, largest);
  double tail = 0;
  for (const double piece : pieces) tail += piece;
  const bool has_tail = layout.top < vocab_size;
  row.tail_mass =
      has_tail ? static_cast<float>(tail * std::exp(static_cast<double>(largest) - log_sum)) : 0.0f;
  row.samples.assign(static_cast<size_t>(layout.samples), row.top.front());
  if (!has_tail) return;
  Random random(seed);
  for (CompactEntry& sample : row.samples) {
    double target = random.uniform() * tail;
    size_t piece = 0;
    while (piece + 1 < pieces.size() && target >= pieces[piece]) target -= pieces[piece++];
    const int64_t begin = static_cast<int64_t>(piece) * kPiece;
    const int64_t id =
        find_in_piece(logits, begin, std::min(begin + kPiece, vocab_size), largest, target);
    sample = {static_cast<uint32_t>(id), log_p(logits[id])};
  }
}

Score compare_compact_row(const CompactRow& row, const float* logits, int64_t vocab_size,
                          uint32_t next) {
  const float largest = operations().largest(logits, vocab_size);
  const double log_sum =
      static_cast<double>(largest) + std::log(operations().sum_exp(logits, vocab_size, largest));
  const auto log_q = [&](uint32_t id) { return static_cast<double>(logits[id]) - log_sum; };
  Score score;
  score.nll = -log_q(next);
  score.reference_nll = -static_cast<double>(row.next_log_p);
  score.same_top = logits[row.top.front().id] == largest;
  double q_of_top = 0;
  for (const auto& [id, log_p] : row.top) {
    q_of_top += std::exp(log_q(id));
    score.divergence += std::exp(static_cast<double>(log_p)) * f(log_p - log_q(id));
  }
  constexpr double kLeastMass = 1e-9;  // rounding leaves no less of a difference to 1
  const double p_tail = row.tail_mass, q_tail = std::max(1 - q_of_top, kLeastMass);
  score.least_divergence = score.divergence;
  if (p_tail < kLeastMass) return score;
  score.divergence += p_tail * f(std::log(p_tail / q_tail));
  score.least_divergence = score.divergence;
  if (row.samples.empty()) return score;
  double sum = 0, squares = 0;
  for (const auto& [id, log_p] : row.samples) {
    const double value = f(log_p - std::log(p_tail) - log_q(id) + std::log(q_tail));
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(row.samples.size());
  const double mean = sum / count;
  score.divergence += p_tail * mean;
  score.sampling_variance =
      p_tail * p_tail * std::max(squares / count - mean * mean, 0.0) / (count - 1);
  return score;
}

}  // namespace nibble
