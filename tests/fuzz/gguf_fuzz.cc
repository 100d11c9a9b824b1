// Parses a GGUF header from memory and walks everything that it hands out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "file/gguf_header.h"
#include "nibble/error.h"

namespace {

uint64_t walk(const nibble::MetadataArray& array) {
  return std::visit(
      [](const auto& items) {
        uint64_t sum = items.size();
        for (const auto& item : items) {
          using T = std::decay_t<decltype(item)>;
          if constexpr (std::is_same_v<T, nibble::MetadataArray>) {
            sum += walk(item);
          } else if constexpr (std::is_same_v<T, std::string>) {
            sum += item.size();
          }
        }
        return sum;
      },
      array.items);
}

// Every value and every byte of every tensor, as a reader of the file would touch them.
uint64_t walk(const nibble::GgufHeader& header, std::span<const std::byte> file) {
  uint64_t sum = 0;
  for (const auto& [key, value] : header.metadata.entries()) {
    sum += key.size() + value.index();
    if (const auto* array = std::get_if<nibble::MetadataArray>(&value)) sum += walk(*array);
  }
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
        walk(nibble::parse_gguf_header(file, "fuzz.gguf"), file);
  } catch (const nibble::Error&) {
  }
  return 0;
}
