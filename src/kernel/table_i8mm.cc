#include "kernel/table.h"
#include "simd/i8mm.h"

namespace nibble {

constexpr Operations kOperations_i8mm = make_operations<I8mm>();

}  // namespace nibble
