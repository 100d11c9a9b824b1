#include "kernel/table.h"
#include "simd/scalar.h"

namespace nibble {

constexpr Operations kOperations_scalar = make_operations<Scalar>();

}  // namespace nibble
