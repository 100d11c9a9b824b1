#include "kernel/table.h"
#include "simd/avx2.h"

namespace nibble {

constexpr Operations kOperations_avx2 = make_operations<Avx2>();

}  // namespace nibble
