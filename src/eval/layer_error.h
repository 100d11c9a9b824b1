// What two models' layers make of the same tokens, and which activations the reference's matrices
// met on the way. Definitions: nibble/layers.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/config.h"
#include "model/observer.h"

namespace nibble {

// The reference's side: keeps the layers' outputs of one batch, and adds up squares of inputs.
class RecordedLayers : public Observer {
 public:
  explicit RecordedLayers(const ModelConfig& config);

  void on_input(std::span<const Role> roles, int64_t layer, int64_t expert,
                const ObservedRows& rows) override;
  void on_layer(int64_t layer, const ObservedRows& rows) override;

  ObservedRows layer(int64_t layer) const;  // of the last batch
  // The mean square of each column that a matrix met; empty when it met nothing.
  std::vector<double> mean_squares(Role role, int64_t layer, int64_t expert) const;

 private:
  struct Squares {
    std::vector<double> sums;  // of columns
    int64_t rows = 0;
  };
  std::vector<Squares>& squares(Role role, int64_t layer) {
    return squares_[static_cast<size_t>(layer) * kRoleCount + static_cast<size_t>(role)];
  }

  std::vector<std::vector<float>> layers_;
  int64_t columns_ = 0;
  std::vector<std::vector<Squares>> squares_;  // layers x roles, each with one for each expert
};

// The model's side: after the reference has seen a batch, the model is shown the same.
class ComparedLayers : public Observer {
 public:
  ComparedLayers(const ModelConfig& config, const RecordedLayers& reference);

  void on_layer(int64_t layer, const ObservedRows& rows) override;

  double cosine(int64_t layer) const;
  double relative_error(int64_t layer) const;

 private:
  struct Sums {
    double cosines = 0;
    double errors = 0;  // squares
    int64_t tokens = 0;
  };
  const RecordedLayers& reference_;
  std::vector<Sums> layers_;
};

}  // namespace nibble
