#include "codec/table.h"
#include "simd/avx2.h"

namespace nibble {

constexpr CodecTable kCodecTable_avx2 = make_codec_table<Avx2>();

}  // namespace nibble
