#include "model/norms.h"

#include "kernel/operations.h"

namespace nibble {

void Norms::normalize(Role role, int64_t layer, const float* x, int64_t rows, int64_t columns,
                      float* y) const {
  const TensorView& view = weights_.of(role, layer);
  const float* weight = weights_.vector(role, layer);
  const float* bias = weights_.bias(role, layer);
  const int64_t kinds = view ? view.rows : 1;
  const bool is_rms = config_.arch->norm == NormKind::kRms;
  pool_.run(rows, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = x + row * columns;
      float* to = y + row * columns;
      const int64_t at = row % kinds * columns;
      if (is_rms) {
        operations().rms_norm(from, weight + at, config_.epsilon, columns, to);
        if (bias != nullptr) operations().add(to, bias, columns);
      } else {
        operations().layer_norm(from, weight == nullptr ? nullptr : weight + at, bias,
                                config_.epsilon, columns, to);
      }
    }
  });
}

}  // namespace nibble
