#include "kernel/matmul.h"

#include <algorithm>

#include "codec/codec.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int kPanelRows = 8;  // rows unpacked at a time: they stay in the second-level cache
constexpr int64_t kBatchForPanels = 3;  // below, unpacking costs more than it saves

// Memory for one thread's panel, grown as needed and kept for the thread's life.
struct Panel {
  std::vector<float> x, d, m;
  std::vector<uint8_t> q;
  PanelRow rows[kPanelRows];

  void resize(int64_t n, Domain domain) {
    const size_t padded = static_cast<size_t>((n + kChunk - 1) / kChunk * kChunk);
    if (domain == Domain::kFloat) {
      grow(x, kPanelRows * padded);
    } else {
      grow(q, kPanelRows * padded);
      grow(d, kPanelRows * padded / 16);
      grow(m, kPanelRows * padded / 16);
    }
    for (size_t r = 0; r < kPanelRows; ++r) {
      rows[r] = {x.data() + r * padded, q.data() + r * padded, d.data() + r * padded / 16,
                 m.data() + r * padded / 16};
      if (domain == Domain::kFloat) rows[r].q = nullptr;
    }
  }
  template <class T>
  static void grow(std::vector<T>& v, size_t size) {
    if (v.size() < size) v.resize(size);
  }
};

void multiply_rows(const TensorView& weights, const std::vector<ActivationRow>& activations,
                   float* y, int64_t begin, int64_t end) {
  const auto dot = codec(weights.type).dot;
  for (int64_t r = begin; r < end; ++r) {
    for (size_t b = 0; b < activations.size(); ++b) {
      y[static_cast<int64_t>(b) * weights.rows + r] =
          dot(weights.row(r), activations[b], weights.columns);
    }
  }
}

void multiply_panels(const TensorView& weights, const std::vector<ActivationRow>& activations,
                     float* y, int64_t begin, int64_t end) {
  thread_local Panel panel;
  const Codec& format = codec(weights.type);
  const Operations& ops = operations();
  const auto gemm = format.domain == Domain::kFloat ? ops.gemm_float
                    : format.is_signed              ? ops.gemm_signed
                                                    : ops.gemm_unsigned;
  panel.resize(weights.columns, format.domain);
  for (int64_t r = begin; r < end; r += kPanelRows) {
    const int rows = static_cast<int>(std::min<int64_t>(kPanelRows, end - r));
    for (int i = 0; i < rows; ++i)
      format.unpack(weights.row(r + i), weights.columns, panel.rows[i]);
    gemm(panel.rows, rows, activations.data(), static_cast<int64_t>(activations.size()),
         weights.columns, y + r, weights.rows);
  }
}

}  // namespace

void ActivationBatch::assign(const float* x, int64_t rows, int64_t n) {
  x_ = x;
  count_ = rows;
  n_ = n;
  quantized_ = false;
  rows_.assign(static_cast<size_t>(rows), {});
  for (int64_t b = 0; b < rows; ++b) rows_[static_cast<size_t>(b)].x = x + b * n;
}

const std::vector<ActivationRow>& ActivationBatch::prepared(Domain domain, ThreadPool& pool) {
  if (domain == Domain::kFloat || quantized_) return rows_;
  const int64_t padded = (n_ + kChunk - 1) / kChunk * kChunk;
  q_.resize(static_cast<size_t>(count_ * padded));
  d_.resize(static_cast<size_t>(count_ * padded / 32));
  s_.resize(static_cast<size_t>(count_ * padded / 16));
  const auto quantize_rows = [&](int64_t begin, int64_t end, int) {
    for (int64_t b = begin; b < end; ++b) {
      int8_t* q = q_.data() + b * padded;
      float* d = d_.data() + b * padded / 32;
      float* s = s_.data() + b * padded / 16;
      operations().quantize(x_ + b * n_, n_, q, d, s);
      rows_[static_cast<size_t>(b)] = {x_ + b * n_, q, d, s};
    }
  };
  pool.run(count_, 4, quantize_rows);
  quantized_ = true;
  return rows_;
}

void matmul(const TensorView& weights, ActivationBatch& activations, float* y, ThreadPool& pool) {
  const auto& rows = activations.prepared(codec(weights.type).domain, pool);
  const bool panels = activations.rows() >= kBatchForPanels;
  const int64_t pieces = 8 * pool.count();  // enough to even out threads that are held up
  const int64_t step = panels ? kPanelRows : 1;
  const int64_t grain = std::max(step, (weights.rows / pieces + step - 1) / step * step);
  pool.run(weights.rows, grain, [&](int64_t begin, int64_t end, int) {
    (panels ? multiply_panels : multiply_rows)(weights, rows, y, begin, end);
  });
}

}  // namespace nibble
