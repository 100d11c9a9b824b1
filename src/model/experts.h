// Mixtures of experts (arXiv:2401.04088): instead of one feed-forward network a layer has several,
// among which a router chooses a few for each token; their outputs are added, weighted. The tokens
// of a batch are brought together by expert, so that each matrix is read once for all of them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "base/threads.h"
#include "kernel/activation_batch.h"
#include "kernel/matmul.h"
#include "model/config.h"
#include "model/observer.h"
#include "model/row_products.h"
#include "model/weights.h"

namespace nibble {

struct ExpertChoice {
  int64_t expert;
  float weight;
};

// Fills `choices` with the experts of the largest logits, best first, of equals the first. Their
// weights are the softmax over the chosen: what softmax over all gives when it is scaled to 1
// again.
void choose_experts(std::span<const float> logits, std::span<ExpertChoice> choices);

// Fills `choices` by a model's own rules from logits, which are used up. `bias`: added to experts'
// scores for the choice, but not to weights; nullptr: none.
void choose_experts_of(const ModelConfig& config, std::span<float> logits, const float* bias,
                       std::span<ExpertChoice> choices);

// The choices of all tokens, a row for each, brought together by expert; within one, by token.
class ExpertRows {
 public:
  // choices[token * used + rank]
  void assign(std::span<const ExpertChoice> choices, int64_t experts);

  std::span<const int64_t> ends() const { return ends_; }  // of each expert's rows
  // The row of each choice, in the order of the choices.
  std::span<const int64_t> rows() const { return rows_; }

 private:
  std::vector<int64_t> ends_, rows_;
};

class Experts {
 public:
  // All three must outlive the object.
  Experts(const ModelConfig& config, const Weights& weights, ThreadPool& pool)
      : config_(config), weights_(weights), pool_(pool), activations_(weights.activations()) {}

  // What the layer's experts make of `tokens` rows of x: y = the sum over a token's choices, best
  // first. Interleaved, no bit depends on which tokens are in the batch.
  void feed_forward(int64_t layer, const float* x, int64_t tokens, float* y);

  void observe(Observer* observer) { observer_ = observer; }
  uint64_t buffer_bytes() const;  // that are kept between calls, but for lists of choices

 private:
  void route(int64_t layer, const float* x, int64_t tokens);
  void gather(const float* x, int64_t tokens);
  void multiply(int64_t layer);
  void multiply_by(std::initializer_list<RowProducts::Output> outputs, int64_t layer,
                   int64_t width);
  // Rows for the experts' matrices of these roles to multiply, an expert's after another's.
  void prepare_input(std::initializer_list<Role> roles, int64_t layer, const float* x,
                     int64_t columns);
  void add_up(int64_t tokens, float* y);

  const ModelConfig& config_;
  const Weights& weights_;
  ThreadPool& pool_;
  std::vector<ExpertChoice> choices_;  // tokens x experts_used
  ExpertRows rows_;
  std::vector<Product> products_;
  std::vector<float> hidden_, gate_, up_;  // rows x width each; hidden_: what goes in, then out
  ActivationBatch activations_;
  Observer* observer_ = nullptr;
};

}  // namespace nibble
