#include "kernel/interleaved_rows.h"
#include "simd/avx512.h"

namespace nibble {

extern const Interleaving kInterleavings_avx512[];
constexpr Interleaving kInterleavings_avx512[] = {
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  make_interleaving<Avx512, type>(),
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
};

}  // namespace nibble
