#include "quant/feedback_factor.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kPanel = 32;  // columns that are eliminated together
constexpr int64_t kFloatBytes = sizeof(float);
constexpr int64_t kTile = 64;  // rows that a thread updates at a time

// H = T^T T with T lower triangular: T[k][i] = U[i][k] sqrt(D[k]). Rows of T are worked out from
// the last one up, in panels, in place of those of H.
class Elimination {
 public:
  Elimination(std::span<const float> moments, int64_t n, const std::vector<double>& added,
              ThreadPool& pool)
      : n_(n), pool_(pool), t_(static_cast<size_t>(n * n)) {
    const float* from = moments.data();
    for (int64_t i = 0; i < n; ++i, from += i) {
      std::copy(from, from + i + 1, row(i));
      row(i)[i] += added[static_cast<size_t>(i)];
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

// What is added to the diagonal: a share of each column's own, that of its correlations being less
// certain than itself, and a little of the mean for columns that are nearly dead.
std::vector<double> damping_of(std::span<const float> moments, int64_t n, double damping,
                               double mean) {
  constexpr double kOfMean = 1e-4;
  std::vector<double> added(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    const auto own = static_cast<double>(moments[static_cast<size_t>(i * (i + 3) / 2)]);
    added[static_cast<size_t>(i)] = damping * (own + kOfMean * mean);
  }
  return added;
}

FeedbackFactor factor_of(const Elimination& eliminated, const std::vector<double>& added,
                         double damping, ThreadPool& pool) {
  const auto n = static_cast<int64_t>(added.size());
  FeedbackFactor factor;
  factor.columns = n;
  factor.damping = damping;
  factor.u.resize(static_cast<size_t>(n * n));
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += eliminated.row(k)[k] * eliminated.row(k)[k];
  const double scale = static_cast<double>(n) / sum;
  for (int64_t k = 0; k < n; ++k) {
    const double root = eliminated.row(k)[k];
    factor.weights.push_back(static_cast<float>(root * root * scale));
    factor.added.push_back(static_cast<float>(added[static_cast<size_t>(k)] * scale));
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

// Scaled as factor_of() scales D.
void add_moments(std::span<const float> moments, const std::vector<double>& added,
                 const Elimination& eliminated, FeedbackFactor& factor) {
  const int64_t n = factor.columns;
  const double last = eliminated.row(n - 1)[n - 1];
  const double scale = factor.weights.back() / (last * last);
  factor.moments.resize(static_cast<size_t>(n * n));
  const float* from = moments.data();
  for (int64_t i = 0; i < n; from += ++i) {
    for (int64_t k = 0; k <= i; ++k) {
      const double sum = from[k] + (k == i ? added[static_cast<size_t>(i)] : 0.0);
      const auto scaled = static_cast<float>(sum * scale);
      factor.moments[static_cast<size_t>(i * n + k)] = scaled;
      factor.moments[static_cast<size_t>(k * n + i)] = scaled;
    }
  }
}

float moment(std::span<const float> moments, int64_t i, int64_t k) {
  if (i < k) std::swap(i, k);
  return moments[static_cast<size_t>(i * (i + 1) / 2 + k)];
}

std::vector<int64_t> activation_order(std::span<const float> moments, int64_t columns) {
  const int64_t group = FeedbackFactor::order_columns(columns);
  std::vector<double> sums(static_cast<size_t>(columns / group));
  std::vector<int64_t> order(sums.size());
  for (int64_t c = 0; c < columns; ++c)
    sums[static_cast<size_t>(c / group)] += moment(moments, c, c);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](int64_t g) { return sums[static_cast<size_t>(g)]; });
  return order;
}

std::vector<float> moments_in_order(std::span<const float> moments, int64_t columns,
                                    const std::vector<int64_t>& order) {
  const auto group = columns / static_cast<int64_t>(order.size());
  const auto origin = [&](int64_t c) {
    return order[static_cast<size_t>(c / group)] * group + c % group;
  };
  std::vector<float> ordered;
  ordered.reserve(moments.size());
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t k = 0; k <= i; ++k) ordered.push_back(moment(moments, origin(i), origin(k)));
  }
  return ordered;
}

}  // namespace

void put_in_order(const FeedbackFactor& factor, const std::byte* x, int64_t rows,
                  int64_t group_bytes, std::byte* y) {
  const auto groups = static_cast<int64_t>(factor.order.size());
  for (int64_t r = 0; r < rows; ++r, x += groups * group_bytes) {
    for (const int64_t group : factor.order)
      y = std::copy_n(x + group * group_bytes, group_bytes, y);
  }
}

void put_back(const FeedbackFactor& factor, const std::byte* x, int64_t rows, int64_t group_bytes,
              std::byte* y) {
  const auto groups = static_cast<int64_t>(factor.order.size());
  for (int64_t r = 0; r < rows; ++r, y += groups * group_bytes) {
    for (const int64_t group : factor.order) {
      std::copy_n(x, group_bytes, y + group * group_bytes);
      x += group_bytes;
    }
  }
}

std::optional<FeedbackFactor> make_feedback_factor(std::span<const float> moments, int64_t columns,
                                                   ThreadPool& pool,
                                                   const FeedbackOptions& options) {
  std::vector<int64_t> order;
  std::vector<float> ordered;
  if (options.by_activation) {
    order = activation_order(moments, columns);
    ordered = moments_in_order(moments, columns, order);
    moments = ordered;
  }
  double trace = 0;
  for (int64_t i = 0; i < columns; ++i) trace += moments[static_cast<size_t>(i * (i + 3) / 2)];
  const double mean = trace / static_cast<double>(columns);
  if (!(mean > 0) || !std::isfinite(mean)) return std::nullopt;
  for (double damping = kFeedbackDamping; damping <= kMostFeedbackDamping; damping *= 10) {
    const auto added = damping_of(moments, columns, damping, mean);
    Elimination elimination(moments, columns, added, pool);
    if (!elimination.run()) continue;
    FeedbackFactor factor = factor_of(elimination, added, damping, pool);
    factor.order = order;
    if (options.with_moments) add_moments(moments, added, elimination, factor);
    return factor;
  }
  return std::nullopt;
}

// With S = diag(scales): S^-1 U D U^T S^-1 = (S^-1 U S) (S^-1 D S^-1) (S^-1 U S)^T.
FeedbackFactor scaled_factor(const FeedbackFactor& factor, std::span<const float> scales) {
  if (!factor.order.empty()) {
    std::vector<float> ordered(scales.size());
    put_in_order(factor, std::as_bytes(scales).data(), 1, factor.order_columns() * kFloatBytes,
                 std::as_writable_bytes(std::span(ordered)).data());
    FeedbackFactor plain = factor;
    plain.order.clear();
    FeedbackFactor scaled = scaled_factor(plain, ordered);
    scaled.order = factor.order;
    return scaled;
  }
  FeedbackFactor scaled = factor;
  const auto n = static_cast<size_t>(factor.columns);
  double sum = 0;
  for (size_t k = 0; k < n; ++k) {
    scaled.weights[k] /= scales[k] * scales[k];
    scaled.added[k] /= scales[k] * scales[k];
    sum += scaled.weights[k];
  }
  const auto normal = static_cast<float>(static_cast<double>(n) / sum);
  for (size_t k = 0; k < n; ++k) {
    scaled.weights[k] *= normal;
    scaled.added[k] *= normal;
  }
  for (size_t i = 0; i < n; ++i) {
    const float inverse = 1.0f / scales[i];
    for (size_t k = i; k < n; ++k) scaled.u[i * n + k] *= scales[k] * inverse;
    if (factor.moments.empty()) continue;
    for (size_t k = 0; k < n; ++k) scaled.moments[i * n + k] *= normal * inverse / scales[k];
  }
  return scaled;
}

void add_answers(const FeedbackFactor& factor, const float* x, int64_t rows, float* y) {
  constexpr int64_t kColumns = 256, kRows = 64;  // at a time
  const int64_t n = factor.columns;
  std::vector<float> transposed(static_cast<size_t>(kColumns * kRows));
  for (int64_t first = 0; first < rows; first += kRows) {
    const int64_t count = std::min(kRows, rows - first);
    for (int64_t panel = 0; panel < n; panel += kColumns) {
      const int64_t columns = std::min(kColumns, n - panel);
      for (int64_t c = 0; c < columns; ++c) {
        for (int64_t r = 0; r < count; ++r)
          transposed[static_cast<size_t>(c * kRows + r)] = x[(first + r) * n + panel + c];
      }
      operations().add_products(transposed.data(), kRows, factor.row(panel) + panel, n, columns,
                                y + first * n + panel, n, count, n - panel);
    }
  }
}

double moment_cost(const FeedbackFactor& factor, const float* x, int64_t rows) {
  const int64_t n = factor.columns;
  std::vector<float> answers(static_cast<size_t>(rows * n)), ordered;
  if (!factor.order.empty()) {
    ordered.resize(answers.size());
    put_in_order(factor, reinterpret_cast<const std::byte*>(x), rows,
                 factor.order_columns() * kFloatBytes,
                 std::as_writable_bytes(std::span(ordered)).data());
    x = ordered.data();
  }
  add_answers(factor, x, rows, answers.data());
  double cost = 0;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < n; ++k) {
      const double z = answers[static_cast<size_t>(r * n + k)];
      const auto e = static_cast<double>(x[r * n + k]);
      cost += static_cast<double>(factor.weights[static_cast<size_t>(k)]) * z * z -
              static_cast<double>(factor.added[static_cast<size_t>(k)]) * e * e;
    }
  }
  return cost;
}

}  // namespace nibble
