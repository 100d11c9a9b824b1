#include "kernel/interleaved_rows.h"
#include "simd/neon.h"

namespace nibble {

extern const Interleaving kInterleavings_neon[];
constexpr Interleaving kInterleavings_neon[] = {
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  make_interleaving<Neon, type>(),
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
};

}  // namespace nibble
