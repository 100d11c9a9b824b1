#include "kernel/interleaved_rows.h"
#include "simd/scalar.h"

namespace nibble {

extern const Interleaving kInterleavings_scalar[];
constexpr Interleaving kInterleavings_scalar[] = {
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  make_interleaving<Scalar, type>(),
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
};

}  // namespace nibble
