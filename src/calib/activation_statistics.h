// What the matrices of a model multiply: sums of squares of columns (an importance matrix), and on
// request second moments, the sums of products of all pairs of columns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/threads.h"
#include "model/config.h"
#include "model/observer.h"
#include "model/roles.h"

namespace nibble {

// What one or more matrices of a layer multiply. Numbers are added up in double, a few rows of them
// in float first: those of 10^8 rows are still as exact as floats can say.
struct InputStatistics {
  std::vector<Role> roles;  // of these matrices; all share the numbers
  int64_t layer = 0;
  int64_t columns = 0;
  std::vector<double> sums;    // of squares, one expert's columns after another's
  std::vector<double> counts;  // rows, of each expert
  // Of each expert that saw rows the triangle up to the diagonal, row by row. Products of up to
  // kRowsInFloat rows are added up in float first.
  std::vector<std::vector<double>> moments;

  bool operator==(const InputStatistics&) const = default;
};

// Other matrices have rows that no block of any type divides, and nobody asks for their moments.
constexpr bool has_moments(int64_t columns) { return columns % 32 == 0; }
constexpr size_t triangle_size(int64_t columns) {
  return static_cast<size_t>(columns * (columns + 1) / 2);
}

class ActivationStatistics final : public Observer {
 public:
  // Moments of layers [first_layer, end_layer); those of the output matrix with the last layer.
  struct MomentLayers {
    int64_t first = 0;
    int64_t end = 0;
    bool contains(int64_t layer) const { return layer >= first && layer < end; }
  };
  ActivationStatistics(const ModelConfig& config, MomentLayers moments, ThreadPool& pool);
  // Goes on from what another one had measured so far, and comes to the same bits.
  ActivationStatistics(const ModelConfig& config, MomentLayers moments, ThreadPool& pool,
                       std::vector<InputStatistics> measured);

  void on_input(std::span<const Role> roles, int64_t layer, int64_t expert,
                const ObservedRows& rows) override;

  // In the order in which a token meets them.
  const std::vector<InputStatistics>& inputs() const { return inputs_; }

 private:
  size_t& index_of(Role first_role, int64_t layer);
  InputStatistics& input(std::span<const Role> roles, int64_t layer, int64_t columns);
  void add_squares(const ObservedRows& rows, double* sums);
  void add_moments(const ObservedRows& rows, std::vector<double>& moments);

  static constexpr int64_t kRowsInFloat = 512;

  const ModelConfig& config_;
  MomentLayers moments_;
  ThreadPool& pool_;
  std::vector<InputStatistics> inputs_;
  std::vector<size_t> index_;  // of layer x first role, from 1; 0: none yet
};

}  // namespace nibble
