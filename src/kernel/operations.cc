#include "kernel/operations.h"

#include "kernel/table.h"

namespace nibble {
namespace {

#if defined(__x86_64__)
constexpr PerIsa<Operations> kTables = {.scalar = &kOperations_scalar,
                                        .avx2 = &kOperations_avx2,
                                        .avxvnni = &kOperations_avxvnni,
                                        .avx512 = &kOperations_avx512};
#elif defined(__aarch64__)
constexpr PerIsa<Operations> kTables = {
    .scalar = &kOperations_scalar, .neon = &kOperations_neon, .i8mm = &kOperations_i8mm};
#else
constexpr PerIsa<Operations> kTables = {.scalar = &kOperations_scalar};
#endif

}  // namespace

const Operations& operations(Isa isa) { return *kTables.of(isa); }

const Operations& operations() {
  static const Operations& table = *kTables.of(active_isa());
  return table;
}

}  // namespace nibble
