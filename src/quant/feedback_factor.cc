#include "quant/feedback_factor.h"

#include <algorithm>
#include <cmath>

#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kPanel = 32;  // columns that are eliminated together
constexpr int64_t kTile = 64;   // rows that a thread updates at a time

// H = T^T T with T lower triangular: T[k][i] = U[i][k] sqrt(D[k]). Rows of T are worked out from
// the last one up, in panels, in place of those of H.
class Elimination {
 public:
  Elimination(std::span<const float> moments, int64_t n, double added, ThreadPool& pool)
      : n_(n), pool_(pool), t_(static_cast<size_t>(n * n)) {
    const float* from = moments.data();
    for (int64_t i = 0; i < n; ++i, from += i) {
      std::copy(from, from + i + 1, row(i));
      row(i)[i] += added;
    }
  }

  bool run() {
    for (int64_t begin = n_ - kPanel; begin >= 0; begin -= kPanel) {
      if (!eliminate(begin)) return false;
      update_above(begin);
    }
    return true;
  }

  const double* row(int64_t i) const { return t_.data() + i * n_; }

 private:
  double* row(int64_t i) { return t_.data() + i * n_; }

  // The panel's own rows.
  bool eliminate(int64_t begin) {
    for (int64_t k = begin + kPanel - 1; k >= begin; --k) {
      double* of_k = row(k);
      if (!(of_k[k] > 0) || !std::isfinite(of_k[k])) return false;
      of_k[k] = std::sqrt(of_k[k]);
      const double inverse = 1 / of_k[k];
      for (int64_t i = 0; i < k; ++i) of_k[i] *= inverse;
      for (int64_t l = begin; l < k; ++l) {
        double* of_l = row(l);
        const double factor = of_k[l];
        for (int64_t i = 0; i <= l; ++i) of_l[i] -= factor * of_k[i];
      }
    }
    return true;
  }

  // T[l] -= the sum over the panel of T[k][l] T[k], for the rows above it.
  void update_above(int64_t begin) {
    const auto add_products = operations().add_double_products;
    const int64_t tiles = (begin + kTile - 1) / kTile;
    pool_.run(tiles, 1, [&](int64_t tile, int64_t, int) {
      const int64_t first = tile * kTile, rows = std::min(kTile, begin - first);
      double factors[kPanel * kTile];
      for (int64_t k = 0; k < kPanel; ++k) {
        for (int64_t r = 0; r < rows; ++r) factors[k * kTile + r] = -row(begin + k)[first + r];
      }
      add_products(factors, kTile, row(begin), n_, kPanel, row(first), n_, rows, first + rows);
    });
  }

  int64_t n_;
  ThreadPool& pool_;
  std::vector<double> t_;
};

FeedbackFactor factor_of(const Elimination& eliminated, int64_t n, double damping,
                         ThreadPool& pool) {
  FeedbackFactor factor = {n, std::vector<float>(static_cast<size_t>(n * n)),
                           std::vector<float>(static_cast<size_t>(n)), damping};
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += eliminated.row(k)[k] * eliminated.row(k)[k];
  for (int64_t k = 0; k < n; ++k) {
    const double root = eliminated.row(k)[k];
    factor.weights[static_cast<size_t>(k)] =
        static_cast<float>(root * root / sum * static_cast<double>(n));
  }
  pool.run(n / kPanel, 1, [&](int64_t panel, int64_t, int) {  // columns of u, transposed
    for (int64_t j = 0; j < (panel + 1) * kPanel; ++j) {
      for (int64_t k = std::max(j, panel * kPanel); k < (panel + 1) * kPanel; ++k) {
        const double* of_k = eliminated.row(k);
        factor.u[static_cast<size_t>(j * n + k)] = static_cast<float>(of_k[j] / of_k[k]);
      }
    }
  });
  return factor;
}

}  // namespace

std::optional<FeedbackFactor> make_feedback_factor(std::span<const float> moments, int64_t columns,
                                                   ThreadPool& pool) {
  double trace = 0;
  for (int64_t i = 0; i < columns; ++i) trace += moments[static_cast<size_t>(i * (i + 3) / 2)];
  const double mean = trace / static_cast<double>(columns);
  if (!(mean > 0) || !std::isfinite(mean)) return std::nullopt;
  for (double damping = kFeedbackDamping; damping <= kMostFeedbackDamping; damping *= 10) {
    Elimination elimination(moments, columns, damping * mean, pool);
    if (elimination.run()) return factor_of(elimination, columns, damping, pool);
  }
  return std::nullopt;
}

}  // namespace nibble
