#include "codec/table.h"
#include "simd/scalar.h"

namespace nibble {

constexpr CodecTable kCodecTable_scalar = make_codec_table<Scalar>();

}  // namespace nibble
