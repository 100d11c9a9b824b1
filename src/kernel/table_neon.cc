#include "kernel/table.h"
#include "simd/neon.h"

namespace nibble {

constexpr Operations kOperations_neon = make_operations<Neon>();

}  // namespace nibble
