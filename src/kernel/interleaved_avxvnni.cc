#include "kernel/interleaved_rows.h"
#include "simd/avxvnni.h"

namespace nibble {

extern const Interleaving kInterleavings_avxvnni[];
constexpr Interleaving kInterleavings_avxvnni[] = {
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  make_interleaving<AvxVnni, type>(),
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
};

}  // namespace nibble
