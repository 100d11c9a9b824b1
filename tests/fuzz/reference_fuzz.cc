// Parses stored references in both formats, with all of their rows.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "file/compact_file.h"
#include "file/logits_file.h"
#include "nibble/error.h"

namespace {

void read_logits(std::span<const std::byte> bytes) {
  const nibble::LogitsFile file(bytes, "fuzz.logits");
  const auto& layout = file.layout();
  for (const uint32_t token : file.tokens()) {
    if (token >= layout.vocab_size) std::abort();
  }
  std::vector<float> log_probabilities(static_cast<size_t>(layout.vocab_size));
  for (int64_t row = 0; row < layout.windows * layout.scored(); ++row) {
    file.read(row / layout.scored(), row % layout.scored(), log_probabilities.data());
    for (const float log_probability : log_probabilities) {
      if (!std::isfinite(log_probability)) std::abort();
    }
  }
}

void read_compact(std::span<const std::byte> bytes) {
  const nibble::CompactFile file(bytes, "fuzz.reference");
  const auto& layout = file.layout();
  for (const uint32_t token : file.tokens()) {
    if (token >= layout.vocab_size) std::abort();
  }
  nibble::CompactRow row;
  for (int64_t i = 0; i < layout.windows * layout.scored(); ++i) {
    file.read(i / layout.scored(), i % layout.scored(), row);
    for (const auto& entry : row.samples) {
      if (entry.id >= layout.vocab_size) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const bool is_compact = size > 0 && data[0] == static_cast<uint8_t>(nibble::kCompactMagic[0]);
  try {
    is_compact ? read_compact(bytes) : read_logits(bytes);
  } catch (const nibble::Error&) {
  }
  return 0;
}
