#include "codec/codec.h"

#include "codec/table.h"

namespace nibble {
namespace {

#if defined(__x86_64__)
constexpr PerIsa<CodecTable> kTables = {&kCodecTable_scalar, &kCodecTable_avx2,
                                        &kCodecTable_avx512};
#else
constexpr PerIsa<CodecTable> kTables = {&kCodecTable_scalar, &kCodecTable_scalar,
                                        &kCodecTable_scalar};
#endif

// The format's place in the list.
constexpr int index_of(DType type) {
  int index = 0;
#define NIBBLE_ROW(enumerator, id, name, type_, weights, bytes, fallback) \
  if (type == DType::enumerator) return index;                            \
  ++index;
  NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
  return index;
}

}  // namespace

const Codec& codec(DType type, Isa isa) { return kTables.of(isa).codecs[index_of(type)]; }

const Codec& codec(DType type) {
  static const CodecTable& table = kTables.of(active_isa());
  return table.codecs[index_of(type)];
}

}  // namespace nibble
