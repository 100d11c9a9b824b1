#include "kernel/matmul.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "codec/codec.h"
#include "kernel/interleaving.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

// Memory that vectors are loaded from whole.
template <class T>
class Aligned {
 public:
  T* grow(int64_t size) {
    if (size > size_) {
      const size_t bytes = (static_cast<size_t>(size) * sizeof(T) + 63) / 64 * 64;
      data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
      if (data_ == nullptr) throw std::bad_alloc();
      size_ = size;
    }
    return data_.get();
  }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
  int64_t size_ = 0;
};

constexpr size_t kMaxProducts = 64;  // of one loop
constexpr int kMaxPanels = kMaxPairs * kPanelPair;

// One thread's memory for some panels and the rows that they are made of, kept for its life:
// small enough to stay in the second-level cache.
class PanelMaker {
 public:
  PanelMaker(const TensorView& weights, const Codec& format) : weights_(weights), format_(format) {
    const bool is_float = form() == nullptr;
    n_ = is_float ? (weights.columns + 15) / 16 * 16
                  : (weights.columns + kChunk - 1) / kChunk * kChunk;
    static thread_local Memory memory;
    float* x = memory.x.grow(is_float ? (kPanelRows + kMaxPairs * kPairRows) * n_ : 0);
    uint8_t* q = memory.q.grow(is_float ? 0 : (kPanelRows + kMaxPairs * kPairRows) * n_);
    float* d = memory.d.grow(is_float ? 0 : (kPanelRows + kMaxPairs * kPairRows) * n_ / 16);
    float* m = memory.m.grow(is_float ? 0 : (kPanelRows + kMaxPairs * kPairRows) * n_ / 16);
    for (int p = 0; p < kMaxPanels; ++p) {
      const int64_t at = p * kPanelRows * n_;
      panels_[p] = is_float ? WeightPanel{nullptr, nullptr, nullptr, x + at}
                            : WeightPanel{q + at, d + at / 16, m + at / 16, nullptr};
    }
    for (int r = 0; r < kPanelRows; ++r) {
      const int64_t at = (kMaxPairs * kPairRows + r) * n_;
      rows_[r] = is_float ? PanelRow{x + at, nullptr, nullptr, nullptr}
                          : PanelRow{nullptr, q + at, d + at / 16, m + at / 16};
    }
  }

  // Rows from `first` to `end`, in whole pairs; those beyond the last are copies of it, whose
  // products nobody wants.
  const WeightPanel* make(int64_t first, int64_t end) {
    const int64_t pairs = (end - first + kPairRows - 1) / kPairRows;
    for (int p = 0; p < pairs * kPanelPair; ++p, first += kPanelRows) {
      if (weights_.interleaved == nullptr) {
        from_rows(first, panels_[p]);
      } else {
        from_interleaved(std::min(first, weights_.rows - 1) / kPanelRows, panels_[p]);
      }
    }
    return panels_;
  }
  const PanelForm* form() const {
    return format_.domain == Domain::kFloat ? nullptr : &format_.panel;
  }
  // What the GEMM sums over.
  int64_t n() const {
    return form() == nullptr ? weights_.columns : (weights_.columns + 31) / 32 * 32;
  }

 private:
  void from_rows(int64_t first, const WeightPanel& panel) {
    for (int r = 0; r < kPanelRows; ++r) {
      const int64_t row = std::min(first + r, weights_.rows - 1);
      format_.unpack(weights_.row(row), weights_.columns, rows_[r]);
    }
    operations().make_panel(rows_, form(), n_, panel);
  }
  void from_interleaved(int64_t index, const WeightPanel& panel) {
    const Interleaving& stored = *interleaving(weights_.type);
    const int64_t bytes = stored.panel_bytes(weights_.columns);
    stored.unpack(weights_.interleaved + index * bytes, weights_.columns, panel);
  }

  struct Memory {
    Aligned<float> x, d, m;
    Aligned<uint8_t> q;
  };

  const TensorView& weights_;
  const Codec& format_;
  int64_t n_;
  WeightPanel panels_[kMaxPanels];
  PanelRow rows_[kPanelRows];
};

// How a matrix meets a group of activations.
enum class Way { kRows, kPanels, kInterleaved };

Way way_of(const Product& product, const ActivationBatch& activations) {
  const int64_t rows = activations.group_rows(product.group);
  if (product.weights->interleaved != nullptr)
    return rows <= kInterleavedColumns ? Way::kInterleaved : Way::kPanels;
  return rows >= kBatchForPanels ? Way::kPanels : Way::kRows;
}

// A product with the activations in the form that it takes, for every thread to read.
struct Prepared {
  const Product* product;
  Way way;
  int64_t batch;  // rows of the group
  std::span<const ActivationRow> rows;
  std::span<const ActivationTile> tiles;

  Prepared() = default;
  Prepared(const Product& of, ActivationBatch& activations, ThreadPool& pool)
      : product(&of), way(way_of(of, activations)), batch(activations.group_rows(of.group)) {
    const DType type = of.weights->type;
    if (way == Way::kRows) {
      rows = std::span(activations.prepared(type, pool))
                 .subspan(static_cast<size_t>(activations.group_begin(of.group)),
                          static_cast<size_t>(activations.group_rows(of.group)));
    } else {
      tiles = activations.tiles_of(activations.tiles(type, pool), of.group);
    }
  }
};

void multiply_rows(const Prepared& p, int64_t begin, int64_t end) {
  const TensorView& weights = *p.product->weights;
  float* y = p.product->y + begin;
  for (const ActivationRow& row : p.rows) {
    codec(weights.type)
        .dots(weights.row(begin), weights.row_bytes(), end - begin, row, weights.columns, y);
    y += weights.rows;
  }
}

void multiply_panels(const Prepared& p, int64_t begin, int64_t end) {
  const TensorView& weights = *p.product->weights;
  PanelMaker maker(weights, codec(weights.type));
  operations().gemm(maker.make(begin, end), maker.form(), static_cast<int>(end - begin),
                    p.tiles.data(), static_cast<int64_t>(p.tiles.size()), maker.n(),
                    p.product->y + begin, weights.rows);
}

// `begin` is the first row of a panel.
void multiply_interleaved(const Prepared& p, int64_t begin, int64_t end) {
  const TensorView& weights = *p.product->weights;
  const Interleaving& format = *interleaving(weights.type);
  const ActivationTile& tile = p.tiles.front();
  const std::byte* panel =
      weights.interleaved + begin / kPanelRows * format.panel_bytes(weights.columns);
  alignas(64) float sums[kInterleavedColumns * kPanelRows];
  for (int64_t first = begin; first < end; first += kPanelRows) {
    format.multiply(panel, weights.columns, tile, sums);
    panel += format.panel_bytes(weights.columns);
    const int64_t rows = std::min<int64_t>(kPanelRows, end - first);
    for (int c = 0; c < tile.columns; ++c)
      std::copy_n(sums + c * kPanelRows, rows, p.product->y + c * weights.rows + first);
  }
}

void multiply_unscaled(const Prepared& p, int64_t begin, int64_t end) {
  switch (p.way) {
    case Way::kRows:
      return multiply_rows(p, begin, end);
    case Way::kPanels:
      return multiply_panels(p, begin, end);
    case Way::kInterleaved:
      return multiply_interleaved(p, begin, end);
  }
}

void multiply_some(const Prepared& p, int64_t begin, int64_t end) {
  multiply_unscaled(p, begin, end);
  const TensorView& weights = *p.product->weights;
  if (weights.scale == 1.0f) return;
  for (int64_t b = 0; b < p.batch; ++b) {
    float* y = p.product->y + b * weights.rows;
    for (int64_t row = begin; row < end; ++row) y[row] *= weights.scale;
  }
}

// As many as stay in the second-level cache beside a tile, and leave every thread 4 pieces.
int64_t pairs_at_a_time(const TensorView& weights, int64_t all_rows, const ThreadPool& pool) {
  constexpr int64_t kCache = 512 * 1024;
  const bool is_float = codec(weights.type).domain == Domain::kFloat;
  const int64_t bytes_a_weight = is_float ? 4 : 2;  // 1 and its part of the scales
  const int64_t fitting = kCache / (kPairRows * weights.columns * bytes_a_weight);
  const int64_t pieces = all_rows / (4 * pool.count() * kPairRows);
  return std::clamp<int64_t>(std::min(fitting, pieces), 1, kMaxPairs);
}

int64_t panels_of(const TensorView& weights) {
  return (weights.rows + kPanelRows - 1) / kPanelRows;
}

// Panels of a piece: as many as fit a thread's memory, or where none is needed, fewer and fewer.
ThreadPool::PieceSize panels_at_a_time(std::span<const Prepared> products, int64_t panels,
                                       const ThreadPool& pool) {
  int64_t pairs = kMaxPairs + 1;
  for (const Prepared& p : products) {
    if (p.way != Way::kPanels) continue;
    pairs = std::min(pairs, pairs_at_a_time(*p.product->weights, panels * kPanelRows, pool));
  }
  if (pairs > kMaxPairs) return {1, panels};
  return {kPanelPair * pairs, kPanelPair * pairs};
}

// The panels of all products in one loop of the pool.
void multiply_together(std::span<const Product> products, ActivationBatch& activations,
                       ThreadPool& pool) {
  Prepared prepared[kMaxProducts];
  int64_t panels = 0;
  for (size_t i = 0; i < products.size(); ++i) {
    prepared[i] = Prepared(products[i], activations, pool);
    panels += panels_of(*products[i].weights);
  }
  const std::span all(prepared, products.size());
  pool.run(panels, panels_at_a_time(all, panels, pool), [&](int64_t begin, int64_t end, int) {
    int64_t first = 0;  // panel of the product
    for (const Prepared& p : all) {
      const TensorView& weights = *p.product->weights;
      const int64_t from = std::max(begin - first, int64_t{0});
      const int64_t to = std::min(end - first, panels_of(weights));
      if (from < to) multiply_some(p, from * kPanelRows, std::min(to * kPanelRows, weights.rows));
      first += panels_of(weights);
    }
  });
}

}  // namespace

// Matrices of other shapes share a loop only where their panels are read as they lie.
void matmul(std::span<const Product> products, ActivationBatch& activations, ThreadPool& pool) {
  const auto share_a_loop = [&](const Product& a, const Product& b) {
    return (a.weights->rows == b.weights->rows && a.weights->columns == b.weights->columns) ||
           (way_of(a, activations) == Way::kInterleaved &&
            way_of(b, activations) == Way::kInterleaved);
  };
  while (!products.empty()) {
    size_t count = 1;
    while (count < std::min(products.size(), kMaxProducts) &&
           share_a_loop(products.front(), products[count]))
      ++count;
    multiply_together(products.first(count), activations, pool);
    products = products.subspan(count);
  }
}

void matmul(const TensorView& weights, ActivationBatch& activations, float* y, ThreadPool& pool) {
  const Product product = {&weights, y};
  matmul({&product, 1}, activations, pool);
}

}  // namespace nibble
