// A batch of activation rows that several matrices multiply, in the forms that they take, each made
// on first use, once for all of them. The rows may be in groups, for which there are matrices of
// their own: experts, and the tokens that chose them.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/threads.h"
#include "codec/format.h"
#include "kernel/panel.h"

namespace nibble {

class ActivationBatch {
 public:
  // rows x n floats; the memory must stay until the next assign(). Buffers are kept between calls.
  // Group g is rows group_ends[g - 1] (0 for the first) to group_ends[g] - 1; without ends, all
  // rows are group 0.
  void assign(const float* x, int64_t rows, int64_t n, std::span<const int64_t> group_ends = {});

  int64_t columns() const { return n_; }
  uint64_t buffer_bytes() const;  // that are kept between calls
  int64_t group_begin(int64_t group) const { return groups_[static_cast<size_t>(group)].row; }
  int64_t group_rows(int64_t group) const { return group_begin(group + 1) - group_begin(group); }

  // One entry a row; quantized for integer formats.
  const std::vector<ActivationRow>& prepared(Domain domain, ThreadPool& pool);

  // The same as tiles of columns for the panels of a format; nullptr: of float formats. Those of a
  // group follow each other, and hold rows of no other.
  const std::vector<ActivationTile>& tiles(const PanelForm* form, ThreadPool& pool);
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
    bool is_current;  // made from x_
    std::vector<int32_t> start;
    std::vector<float> s;
    std::vector<ActivationTile> tiles;
  };
  Variant& variant(int zero, int group);
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
  void make_room_to_quantize();
  void quantize(int64_t begin, int64_t end);
  void pack_integers(ThreadPool& pool);
  void pack_floats(ThreadPool& pool);
  void sum_groups(Variant& variant, ThreadPool& pool) const;

  const float* x_ = nullptr;
  int64_t count_ = 0;
  int64_t n_ = 0;
  int64_t padded_ = 0;  // n, to a multiple of 256
  bool quantized_ = false;
  std::vector<int8_t> q_;
  std::vector<float> d_, s_;
  std::vector<ActivationRow> rows_;

  std::vector<Start> groups_;  // and an end
  std::vector<TilePlace> places_;
  int64_t tile_columns_ = 0;  // of all tiles

  // Tiles lie one after the other in each of these.
  bool integers_packed_ = false;
  bool floats_packed_ = false;
  std::vector<int8_t> tile_q_;
  std::vector<float> tile_d_, tile_x_;
  std::vector<int32_t> tile_sum_;  // of q over each 16
  std::vector<ActivationTile> tiles_, float_tiles_;
  std::deque<Variant> variants_;  // few: a model's matrices are of few types
};

}  // namespace nibble
