// The norms of a model's rows: whichever kind it has, with the weights of a role, or without.
#pragma once

#include <cstdint>

#include "base/threads.h"
#include "model/config.h"
#include "model/weights.h"

namespace nibble {

class Norms {
 public:
  // All three must outlive the object.
  Norms(const ModelConfig& config, const Weights& weights, ThreadPool& pool)
      : config_(config), weights_(weights), pool_(pool) {}

  // y = the norm of each of `rows` rows of x; they may be the same. The role's weights are a row,
  // or as many rows as follow each other with weights of their own.
  void normalize(Role role, int64_t layer, const float* x, int64_t rows, int64_t columns,
                 float* y) const;

 private:
  const ModelConfig& config_;
  const Weights& weights_;
  ThreadPool& pool_;
};

}  // namespace nibble
