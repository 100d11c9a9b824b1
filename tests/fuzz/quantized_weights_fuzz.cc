// Takes a quantization_config, a zero byte and a safetensors file, and reads the first and the last
// rows of every tensor that the parts stand for: as floats, and as the blocks that they are.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "file/quantized_weights.h"
#include "file/safetensors_header.h"
#include "nibble/error.h"

namespace {

// Each tensor in memory of its own, whose end is watched.
class Parts final : public nibble::WeightFiles {
 public:
  explicit Parts(std::span<const std::byte> file) {
    for (nibble::StoredTensor tensor : nibble::parse_safetensors_header(file, "fuzz").stored) {
      const uint64_t bytes = nibble::stored_bytes(tensor.type, tensor.shape).value();
      const auto part = file.subspan(tensor.offset, bytes);
      contents_.emplace_back(part.begin(), part.end());
      tensor.file = stored_.size();
      tensor.offset = 0;
      stored_.push_back(std::move(tensor));
    }
  }
  std::span<const std::byte> content(size_t file) const override { return contents_[file]; }

 private:
  std::vector<std::vector<std::byte>> contents_;
};

void read(const nibble::QuantizedWeights& weights) {
  constexpr uint64_t kRows = 3, kMaxBytes = 1 << 20;
  for (size_t i = 0; i < weights.tensors().size(); ++i) {
    const nibble::TensorInfo& tensor = weights.tensors()[i];
    const uint64_t rows = tensor.shape.rows(), count = std::min(rows, kRows);
    if (tensor.row_bytes() > kMaxBytes) continue;  // would only cost time
    std::vector<std::byte> out(count * tensor.row_bytes());
    try {
      weights.read_rows(i, 0, count, out);
      weights.read_rows(i, rows - count, count, out);
    } catch (const nibble::Error&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* zero = std::find(data, data + size, 0);
  if (zero == data + size) return 0;
  const std::string text(data, zero);
  try {
    const Parts parts(std::as_bytes(std::span(zero + 1, data + size)));
    const nibble::Json json = nibble::parse_json(text, "config");
    const nibble::JsonObject config(json, "config");
    read(nibble::QuantizedWeights(parts, config));
    read(nibble::QuantizedWeights(parts, config, [](std::string_view) { return true; }));
  } catch (const nibble::Error&) {
  }
  return 0;
}
