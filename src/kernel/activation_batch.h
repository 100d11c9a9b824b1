// A batch of activation rows that several matrices multiply, in the forms that they take, each made
// on first use, once for all of them. The rows may be in groups, for which there are matrices of
// their own: experts, and the tokens that chose them.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/threads.h"
#include "kernel/panel.h"
#include "kernel/rounding.h"
#include "nibble/activations.h"
#include "nibble/dtype.h"

namespace nibble {

class ActivationBatch {
 public:
  explicit ActivationBatch(Activations activations = Activations::kNibble)
      : activations_(activations) {}

  // rows x n floats; the memory must stay until the next assign(). Buffers are kept between calls.
  // Group g is rows group_ends[g - 1] (0 for the first) to group_ends[g] - 1; without ends, all
  // rows are group 0.
  void assign(const float* x, int64_t rows, int64_t n, std::span<const int64_t> group_ends = {});

  int64_t columns() const { return n_; }
  uint64_t buffer_bytes() const;  // that are kept between calls
  int64_t group_begin(int64_t group) const { return groups_[static_cast<size_t>(group)].row; }
  int64_t group_rows(int64_t group) const { return group_begin(group + 1) - group_begin(group); }

  // One entry a row, as weights of a type take them; quantized for integer formats.
  const std::vector<ActivationRow>& prepared(DType type, ThreadPool& pool);

  // The same as tiles of columns for the panels of a type. Those of a group follow each other, and
  // hold rows of no other.
  const std::vector<ActivationTile>& tiles(DType type, ThreadPool& pool);
  std::span<const ActivationTile> tiles_of(const std::vector<ActivationTile>& tiles,
                                           int64_t group) const {
    const auto first = groups_[static_cast<size_t>(group)].tile;
    return std::span(tiles).subspan(first, groups_[static_cast<size_t>(group) + 1].tile - first);
  }

 private:
  // Tiles with the sums that formats with this zero point and group start from.
  struct Variant {
    int zero;
    int group;
    bool is_current;  // made from q
    std::vector<int32_t> start;
    std::vector<float> s;
    std::vector<ActivationTile> tiles;
  };
  // The rows rounded in one way, and as tiles, which lie one after the other in each tile_ vector.
  struct Integers {
    Rounding rounding;
    bool is_quantized = false;  // made from x_
    bool is_packed = false;
    std::vector<int8_t> q;
    std::vector<float> d, s;
    std::vector<ActivationRow> rows;
    std::vector<int8_t> tile_q;
    std::vector<float> tile_d;
    std::vector<int32_t> tile_sum;  // of q over each 16
    std::vector<ActivationTile> tiles;
    std::deque<Variant> variants;  // few: a model's matrices are of few types

    Variant& variant(int zero, int group);
  };
  Integers& integers_for(DType type);
  struct Start {
    int64_t row = 0;
    size_t tile = 0;
  };
  // Where a tile's rows begin, and its columns among those of all tiles, padded as they are.
  struct TilePlace {
    int64_t row;
    int64_t column;
  };
  void cut_into_tiles(int64_t begin, int64_t end);
  template <class Function>
  void for_tiles(ThreadPool& pool, const Function& function) const;
  void make_room_to_quantize(Integers& to) const;
  void quantize(Integers& to, int64_t begin, int64_t end) const;
  void pack_integers(Integers& to, ThreadPool& pool) const;
  void pack_floats(ThreadPool& pool);
  void sum_groups(const Integers& from, Variant& variant, ThreadPool& pool) const;

  Activations activations_;
  const float* x_ = nullptr;
  int64_t count_ = 0;
  int64_t n_ = 0;
  int64_t padded_ = 0;               // n, to a multiple of 256
  std::vector<ActivationRow> rows_;  // x alone

  std::vector<Start> groups_;  // and an end
  std::vector<TilePlace> places_;
  int64_t tile_columns_ = 0;           // of all tiles
  std::vector<ActivationTile> tiles_;  // their sizes

  std::deque<Integers> integers_;  // of the roundings in use: mostly one
  bool floats_packed_ = false;
  std::vector<float> tile_x_;
  std::vector<ActivationTile> float_tiles_;
};

}  // namespace nibble
