// Parses a file of torch.save from memory and looks at every byte of the tensors that it hands out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "file/torch_file.h"
#include "nibble/error.h"

namespace {

uint64_t walk(const nibble::TorchContent& content, std::span<const std::byte> file) {
  uint64_t sum = 0;
  for (const auto& tensor : content.unsupported) sum += tensor.name.size() + tensor.reason.size();
  for (const nibble::StoredTensor& tensor : content.stored) {
    const uint64_t bytes = nibble::stored_bytes(tensor.type, tensor.shape).value();
    if (bytes > file.size() || tensor.offset > file.size() - bytes) std::abort();
    for (const std::byte byte : file.subspan(tensor.offset, bytes))
      sum += static_cast<uint64_t>(byte);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  try {
    // volatile: the reads must happen
    [[maybe_unused]] volatile uint64_t sum = walk(nibble::parse_torch_file(file, "fuzz.bin"), file);
  } catch (const nibble::Error&) {
  }
  return 0;
}
