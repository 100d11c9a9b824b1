// Parses a checkpoint of a calibration whose checksum is made right first, and checks that what it
// holds fits together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/xxh64.h"
#include "calib/checkpoint.h"
#include "nibble/error.h"

namespace {

void check(const std::vector<nibble::InputStatistics>& inputs) {
  for (const auto& input : inputs) {
    const size_t experts = input.counts.size();
    if (input.roles.empty() || input.moments.size() != experts ||
        input.sums.size() != experts * static_cast<size_t>(input.columns))
      std::abort();
    for (const auto& moments : input.moments) {
      if (!moments.empty() && moments.size() != nibble::triangle_size(input.columns)) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  std::vector<std::byte> sealed(bytes.begin(), bytes.end());
  if (size >= sizeof(uint64_t)) {
    const auto content = std::span(sealed).first(size - sizeof(uint64_t));
    const uint64_t checksum = nibble::xxh64(content);
    std::memcpy(sealed.data() + content.size(), &checksum, sizeof checksum);
  }
  try {
    const auto checkpoint = nibble::parse_checkpoint(sealed, "fuzz.checkpoint");
    check(checkpoint.inputs);
    check(checkpoint.progress.measured);
  } catch (const nibble::Error&) {
  }
  return 0;
}
