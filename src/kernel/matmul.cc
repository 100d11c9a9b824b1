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

constexpr size_t kMaxProducts = 4;  // of one loop
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

void multiply_rows(const TensorView& weights, ActivationBatch& activations, float* y,
                   ThreadPool& pool) {
  const Codec& format = codec(weights.type);
  const auto& rows = activations.prepared(format.domain, pool);
  const int64_t pieces = 8 * pool.count();  // enough to even out threads that are held up
  const int64_t grain = std::max<int64_t>(1, weights.rows / pieces);
  pool.run(weights.rows, grain, [&](int64_t begin, int64_t end, int) {
    for (size_t b = 0; b < rows.size(); ++b) {
      format.dots(weights.row(begin), weights.row_bytes(), end - begin, rows[b], weights.columns,
                  y + static_cast<int64_t>(b) * weights.rows + begin);
    }
  });
}

// As many as stay in the second-level cache beside a tile, and leave every thread 4 pieces.
int64_t pairs_at_a_time(const TensorView& weights, Domain domain, const ThreadPool& pool) {
  constexpr int64_t kCache = 512 * 1024;
  const int64_t bytes_a_weight = domain == Domain::kFloat ? 4 : 2;  // 1 and its part of the scales
  const int64_t fitting = kCache / (kPairRows * weights.columns * bytes_a_weight);
  const int64_t pieces = weights.rows / (4 * pool.count() * kPairRows);
  return std::clamp<int64_t>(std::min(fitting, pieces), 1, kMaxPairs);
}

void multiply_panels(const TensorView& weights, ActivationBatch& activations, float* y,
                     ThreadPool& pool) {
  const Codec& format = codec(weights.type);
  const auto& tiles =
      activations.tiles(format.domain == Domain::kFloat ? nullptr : &format.panel, pool);
  const int64_t grain = kPairRows * pairs_at_a_time(weights, format.domain, pool);
  pool.run(weights.rows, grain, [&](int64_t first, int64_t end, int) {
    PanelMaker maker(weights, format);
    operations().gemm(maker.make(first, end), maker.form(), static_cast<int>(end - first),
                      tiles.data(), static_cast<int64_t>(tiles.size()), maker.n(), y + first,
                      weights.rows);
  });
}

int64_t panels_of(const Product& product) {
  return (product.weights->rows + kPanelRows - 1) / kPanelRows;
}

// Panels begin .. end - 1 of a matrix times a tile.
void multiply_some(const Product& product, const ActivationTile& tile, int64_t begin, int64_t end) {
  const TensorView& weights = *product.weights;
  const Interleaving& format = *interleaving(weights.type);
  const int64_t bytes = format.panel_bytes(weights.columns);
  alignas(64) float sums[kInterleavedColumns * kPanelRows];
  for (int64_t p = begin; p < end; ++p) {
    format.multiply(weights.interleaved + p * bytes, weights.columns, tile, sums);
    const int64_t first = p * kPanelRows;
    const int64_t rows = std::min<int64_t>(kPanelRows, weights.rows - first);
    for (int c = 0; c < tile.columns; ++c)
      std::copy_n(sums + c * kPanelRows, rows, product.y + c * weights.rows + first);
  }
}

// The panels of all matrices in one loop of the pool.
void multiply_interleaved(std::span<const Product> products, ActivationBatch& activations,
                          ThreadPool& pool) {
  int64_t panels = 0;
  const ActivationTile* tiles[kMaxProducts];
  for (size_t i = 0; i < products.size(); ++i) {
    panels += panels_of(products[i]);
    tiles[i] = &activations.tiles(&codec(products[i].weights->type).panel, pool).front();
  }
  const int64_t grain = std::max<int64_t>(1, panels / (8 * pool.count()));
  pool.run(panels, grain, [&](int64_t begin, int64_t end, int) {
    int64_t first = 0;  // panel of the product
    for (size_t i = 0; i < products.size(); first += panels_of(products[i++])) {
      const int64_t from = std::max(begin - first, int64_t{0});
      const int64_t to = std::min(end - first, panels_of(products[i]));
      if (from < to) multiply_some(products[i], *tiles[i], from, to);
    }
  });
}

}  // namespace

void matmul(std::span<const Product> products, ActivationBatch& activations, ThreadPool& pool) {
  const auto is_interleaved = [](const Product& p) { return p.weights->interleaved != nullptr; };
  if (activations.rows() <= kInterleavedColumns && products.size() <= kMaxProducts &&
      std::ranges::all_of(products, is_interleaved)) {
    return multiply_interleaved(products, activations, pool);
  }
  for (const Product& product : products) {
    if (activations.rows() <= kInterleavedColumns && is_interleaved(product)) {
      multiply_interleaved({&product, 1}, activations, pool);
    } else if (activations.rows() >= kBatchForPanels || is_interleaved(product)) {
      multiply_panels(*product.weights, activations, product.y, pool);
    } else {
      multiply_rows(*product.weights, activations, product.y, pool);
    }
  }
}

void matmul(const TensorView& weights, ActivationBatch& activations, float* y, ThreadPool& pool) {
  const Product product = {&weights, y};
  matmul({&product, 1}, activations, pool);
}

}  // namespace nibble
