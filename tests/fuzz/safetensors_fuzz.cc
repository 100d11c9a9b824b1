// Parses a safetensors header from memory and walks everything that it hands out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "file/safetensors_header.h"
#include "nibble/error.h"

namespace {

uint64_t walk(const nibble::SafetensorsHeader& header, std::span<const std::byte> file) {
  uint64_t sum = 0;
  for (const auto& [key, text] : header.metadata) sum += key.size() + text.size();
  for (const auto& tensor : header.unsupported) sum += tensor.name.size() + tensor.reason.size();
  for (size_t i = 0; i < header.tensors.size(); ++i) {
    const nibble::TensorInfo& tensor = header.tensors[i];
    if (tensor.bytes() > file.size() || header.offsets[i] > file.size() - tensor.bytes()) {
      std::abort();
    }
    for (const std::byte byte : file.subspan(header.offsets[i], tensor.bytes())) {
      sum += static_cast<uint64_t>(byte);
    }
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  try {
    // volatile: the reads must happen
    [[maybe_unused]] volatile uint64_t sum =
        walk(nibble::parse_safetensors_header(file, "fuzz.safetensors"), file);
  } catch (const nibble::Error&) {
  }
  return 0;
}
