#include "kernel/interleaved_rows.h"
#include "simd/i8mm.h"

namespace nibble {

extern const Interleaving kInterleavings_i8mm[];
constexpr Interleaving kInterleavings_i8mm[] = {
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  make_interleaving<I8mm, type>(),
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
};

}  // namespace nibble
