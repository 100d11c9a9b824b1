#include "codec/codec.h"

namespace nibble {

// Defined by the files that cmake/codecs.cmake makes.
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  extern const Codec kCodec_##type##_scalar;                             \
  extern const Codec kCodec_##type##_avx2;                               \
  extern const Codec kCodec_##type##_avx512;                             \
  extern const Codec kCodec_##type##_neon;
NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW

namespace {

constexpr PerIsa<Codec> kCodecs[] = {
#if defined(__x86_64__)  // AVX-VNNI has nothing for codecs
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  {.scalar = &kCodec_##type##_scalar,                                    \
   .avx2 = &kCodec_##type##_avx2,                                        \
   .avxvnni = &kCodec_##type##_avx2,                                     \
   .avx512 = &kCodec_##type##_avx512},
#elif defined(__aarch64__)  // nor has I8MM
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  {.scalar = &kCodec_##type##_scalar, .neon = &kCodec_##type##_neon, .i8mm = &kCodec_##type##_neon},
#else
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) \
  {.scalar = &kCodec_##type##_scalar},
#endif
    NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
};

}  // namespace

const Codec& codec(DType type, Isa isa) { return *kCodecs[format_index(type)].of(isa); }

const Codec& codec(DType type) {
  static const Isa isa = active_isa();
  return codec(type, isa);
}

}  // namespace nibble
