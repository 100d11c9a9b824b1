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

// What one or more matrices of a layer multiply.
struct InputStatistics {
  std::vector<Role> roles;  // of these matrices; all share the numbers
  int64_t layer = 0;
  int64_t columns = 0;
  std::vector<float> sums;    // of squares, one expert's columns after another's
  std::vector<float> counts;  // rows, of each expert
  // Of each expert that saw rows, columns x columns: the rows up to the diagonal are complete,
  // what stands right of it has no meaning.
  std::vector<std::vector<float>> moments;
};

// Other matrices have rows that no block of any type divides, and nobody asks for their moments.
constexpr bool has_moments(int64_t columns) { return columns % 32 == 0; }

class ActivationStatistics final : public Observer {
 public:
  // Moments of layers [first_layer, end_layer); those of the output matrix with the last layer.
  struct MomentLayers {
    int64_t first = 0;
    int64_t end = 0;
    bool contains(int64_t layer) const { return layer >= first && layer < end; }
  };
  ActivationStatistics(const ModelConfig& config, MomentLayers moments, ThreadPool& pool);

  void on_input(std::span<const Role> roles, int64_t layer, int64_t expert,
                const ObservedRows& rows) override;

  // Sums are added up in double within a chunk, and then as floats: what comes of some chunks and
  // the rest of them later is what comes of all.
  void end_chunk();

  // In the order in which a token meets them.
  const std::vector<InputStatistics>& inputs() const { return inputs_; }

 private:
  InputStatistics& input(std::span<const Role> roles, int64_t layer, int64_t columns);
  void add_squares(const ObservedRows& rows, double* sums);
  void add_moments(const ObservedRows& rows, std::vector<float>& moments);

  const ModelConfig& config_;
  MomentLayers moments_;
  ThreadPool& pool_;
  std::vector<InputStatistics> inputs_;
  std::vector<size_t> index_;               // of layer x first role; 0: none yet
  std::vector<std::vector<double>> chunk_;  // sums of this chunk, of each input
};

}  // namespace nibble
