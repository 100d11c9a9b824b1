#include "kernel/interleaved_rows.h"
#include "simd/avx2.h"

namespace nibble {

extern const Interleaving kInterleavings_avx2[];
constexpr Interleaving kInterleavings_avx2[] = {
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  make_interleaving<Avx2, type>(),
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
};

}  // namespace nibble
