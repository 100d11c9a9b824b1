#include "kernel/table.h"
#include "simd/avx512.h"

namespace nibble {

constexpr Operations kOperations_avx512 = make_operations<Avx512>();

}  // namespace nibble
