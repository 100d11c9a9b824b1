#include "codec/table.h"
#include "simd/avx512.h"

namespace nibble {

constexpr CodecTable kCodecTable_avx512 = make_codec_table<Avx512>();

}  // namespace nibble
