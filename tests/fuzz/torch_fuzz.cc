// Parses a file of torch.save from memory and looks at every byte of the tensors that it hands out,
// and at the first and the last rows of those whose elements lie apart.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

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

uint64_t gather(const nibble::TorchContent& content, std::span<const std::byte> file) {
  constexpr uint64_t kRows = 3, kMaxRow = 1 << 16;
  uint64_t sum = 0;
  for (const nibble::StridedTensor& strided : content.strided) {
    const nibble::Shape shape = nibble::shape_from_pytorch(strided.tensor.shape);
    const uint64_t count = std::min(shape.rows(), kRows);
    const uint64_t row = shape.columns() * *nibble::stored_type_bits(strided.tensor.type) / 8;
    if (row > kMaxRow) continue;  // would only cost time
    std::vector<std::byte> out(count * row);
    for (const uint64_t first : {uint64_t{0}, shape.rows() - count}) {
      nibble::gather_rows(strided, file, first, count, out);
      for (const std::byte byte : out) sum += static_cast<uint64_t>(byte);
    }
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  try {
    // volatile: the reads must happen
    const nibble::TorchContent content = nibble::parse_torch_file(file, "fuzz.bin");
    [[maybe_unused]] volatile uint64_t sum = walk(content, file) + gather(content, file);
  } catch (const nibble::Error&) {
  }
  return 0;
}
