// Parses an importance matrix, .dat or GGUF, and checks what it promises about values.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "file/imatrix.h"
#include "nibble/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto matrix = nibble::parse_imatrix(std::as_bytes(std::span(data, size)), "fuzz.imatrix");
    for (const auto& [name, entry] : matrix.entries) {
      for (const float value : entry.means()) {
        if (!std::isfinite(value) || value < 0) std::abort();
      }
    }
  } catch (const nibble::Error&) {
  }
  return 0;
}
