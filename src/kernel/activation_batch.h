// A batch of activation rows that several matrices multiply, in the forms that they take, each made
// on first use, once for all of them.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/threads.h"
#include "codec/format.h"
#include "kernel/panel.h"

namespace nibble {

class ActivationBatch {
 public:
  // rows x n floats; the memory must stay until the next assign(). Buffers are kept between calls.
  void assign(const float* x, int64_t rows, int64_t n);

  int64_t rows() const { return count_; }
  int64_t columns() const { return n_; }

  // One entry a row; quantized for integer formats.
  const std::vector<ActivationRow>& prepared(Domain domain, ThreadPool& pool);

  // The same as tiles of columns for the panels of a format; nullptr: of float formats.
  const std::vector<ActivationTile>& tiles(const PanelForm* form, ThreadPool& pool);

 private:
  // Tiles with the sums that formats with this zero point and group start from.
  struct Variant {
    int zero;
    int group;
    bool is_current;  // made from x_
    std::vector<int32_t> start;
    std::vector<float> s;
    std::vector<ActivationTile> tiles;
  };
  Variant& variant(int zero, int group);
  void pack_integers(ThreadPool& pool);
  void pack_floats(ThreadPool& pool);
  void sum_groups(Variant& variant, ThreadPool& pool) const;
  void cut_into_tiles();

  const float* x_ = nullptr;
  int64_t count_ = 0;
  int64_t n_ = 0;
  int64_t padded_ = 0;  // n, to a multiple of 256
  bool quantized_ = false;
  std::vector<int8_t> q_;
  std::vector<float> d_, s_;
  std::vector<ActivationRow> rows_;

  // Tiles lie one after the other in each of these; tile t begins at column 12 t.
  bool integers_packed_ = false;
  bool floats_packed_ = false;
  std::vector<int8_t> tile_q_;
  std::vector<float> tile_d_, tile_x_;
  std::vector<int32_t> tile_sum_;  // of q over each 16
  std::vector<ActivationTile> tiles_, float_tiles_;
  std::deque<Variant> variants_;  // few: a model's matrices are of few types
};

}  // namespace nibble
