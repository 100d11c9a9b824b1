#include "kernel/table.h"
#include "simd/avxvnni.h"

namespace nibble {

constexpr Operations kOperations_avxvnni = make_operations<AvxVnni>();

}  // namespace nibble
