#include "kernel/interleaving.h"

#include <algorithm>

namespace nibble {

extern const Interleaving kInterleavings_scalar[];  // in the order of formats.h
extern const Interleaving kInterleavings_avx2[];
extern const Interleaving kInterleavings_avxvnni[];
extern const Interleaving kInterleavings_avx512[];
extern const Interleaving kInterleavings_neon[];
extern const Interleaving kInterleavings_i8mm[];

namespace {

#if defined(__x86_64__)
constexpr PerIsa<Interleaving> kTables = {.scalar = kInterleavings_scalar,
                                          .avx2 = kInterleavings_avx2,
                                          .avxvnni = kInterleavings_avxvnni,
                                          .avx512 = kInterleavings_avx512};
#elif defined(__aarch64__)
constexpr PerIsa<Interleaving> kTables = {
    .scalar = kInterleavings_scalar, .neon = kInterleavings_neon, .i8mm = kInterleavings_i8mm};
#else
constexpr PerIsa<Interleaving> kTables = {.scalar = kInterleavings_scalar};
#endif

}  // namespace

int64_t Interleaving::panel_bytes(int64_t n) const {
  const int64_t blocks = n / block_weights;
  return (blocks * scale_bytes + 63) / 64 * 64 + blocks * code_bytes;
}

const Interleaving* interleaving(DType type, Isa isa) {
  const Interleaving& row = kTables.of(isa)[format_index(type)];
  return row.interleave == nullptr ? nullptr : &row;
}

const Interleaving* interleaving(DType type) {
  static const Isa isa = active_isa();
  return interleaving(type, isa);
}

int64_t interleaved_bytes(const TensorView& matrix) {
  const Interleaving* format = interleaving(matrix.type);
  const int64_t panels = (matrix.rows + kPanelRows - 1) / kPanelRows;
  return format == nullptr ? 0 : panels * format->panel_bytes(matrix.columns);
}

void interleave(const TensorView& matrix, std::byte* to, ThreadPool& pool) {
  const Interleaving& format = *interleaving(matrix.type);
  const int64_t bytes = format.panel_bytes(matrix.columns);
  const int64_t panels = (matrix.rows + kPanelRows - 1) / kPanelRows;
  pool.run(panels, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t p = begin; p < end; ++p) {
      const std::byte* rows[kPanelRows];
      for (int r = 0; r < kPanelRows; ++r)
        rows[r] = matrix.row(std::min(p * kPanelRows + r, matrix.rows - 1));
      format.interleave(rows, matrix.columns, to + p * bytes);
    }
  });
}

}  // namespace nibble
