// What files of predictions (logits_file.h, compact_file.h) are checked for alike.
#pragma once

#include <cstdint>
#include <optional>

#include "base/checked.h"
#include "file/byte_reader.h"

namespace nibble {

inline constexpr int64_t kLeastReferenceContext = 4;  // a shorter window scores nothing

// A 32-bit number; larger ones than a signed one holds are refused, too.
inline int64_t read_number(ByteReader& in, const char* field, int64_t least) {
  in.set_field(field);
  const auto value = in.read<int32_t>();
  if (value < least)
    in.fail_here(ErrorCode::kInvalidFile, "found {}, expected at least {}", value, least);
  return value;
}

inline void check_tokens(ByteReader& in, int64_t count, int64_t vocab_size) {
  in.set_field("tokens");
  for (int64_t i = 0; i < count; ++i) {
    const auto token = in.read<int32_t>();
    if (token < 0 || token >= vocab_size) {
      in.fail_here(ErrorCode::kInvalidFile, "found {}, expected a token below {}", token,
                   vocab_size);
    }
  }
}

// Whether what follows a header of `fixed_bytes`, tokens and rows, is that of so many windows. The
// factors are below 2^31, so only the last product can be more than a number holds.
inline bool has_windows(uint64_t file_bytes, uint64_t fixed_bytes, int64_t windows, int64_t context,
                        int64_t scored, uint64_t row_bytes) {
  const uint64_t window_bytes =
      static_cast<uint64_t>(context) * sizeof(uint32_t) + static_cast<uint64_t>(scored) * row_bytes;
  const auto bytes = checked_mul(window_bytes, static_cast<uint64_t>(windows));
  return bytes && *bytes == file_bytes - fixed_bytes;
}

}  // namespace nibble
