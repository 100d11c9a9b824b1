// Reads a GGUF file from memory and takes its weights through every operation of their formats. Any
// bytes are weights: they decode to the same bits on every ISA, and what they decode to encodes to
// the same bytes on every ISA.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "file/gguf_header.h"
#include "nibble/error.h"

namespace {

using nibble::DType;
using nibble::Isa;

// Three of the largest blocks; more would only cost time.
constexpr int64_t kMaxColumns = 768;
constexpr uint64_t kMaxRows = 1;
constexpr size_t kMaxTensors = 2;
// Columns: instrumented, the searches of iq1_s take 100 ms for 512.
constexpr int64_t kMaxEncoded = 256;

[[noreturn]] void differs(DType type, Isa isa, const char* what) {
  std::fprintf(stderr, "%s of %s differs from scalar on %s\n", what,
               std::string(nibble::dtype_name(type)).c_str(),
               std::string(nibble::isa_name(isa)).c_str());
  std::abort();
}

class Row {
 public:
  Row(DType type, std::span<const std::byte> stored, int64_t columns)
      : type_(type), columns_(columns), stored_(stored.begin(), stored.end()) {}

  void check() {
    const auto decoded = decode(Isa::kScalar);
    const auto encoded = encode(Isa::kScalar, decoded);
    const float product = dot(Isa::kScalar);
    for (const Isa isa : nibble::available_isas()) {
      const auto again = decode(isa);
      if (std::memcmp(again.data(), decoded.data(), decoded.size() * sizeof(float)) != 0) {
        differs(type_, isa, "decoding");
      }
      if (encode(isa, decoded) != encoded) differs(type_, isa, "encoding");
      const float product_again = dot(isa);
      if (product_again != product && !(std::isnan(product_again) && std::isnan(product))) {
        differs(type_, isa, "the dot product");
      }
      unpack(isa);
    }
  }

 private:
  std::vector<float> decode(Isa isa) const {
    std::vector<float> y(static_cast<size_t>(columns_));
    nibble::codec(type_, isa).decode(stored_.data(), columns_, y.data());
    return y;
  }

  // Encoders take finite weights only: quantize refuses others.
  std::vector<std::byte> encode(Isa isa, std::vector<float> x) const {
    for (float& v : x) v = std::isfinite(v) ? v : 1.0f;
    const int64_t columns = std::min(columns_, kMaxEncoded);
    std::vector<std::byte> row(stored_.size());
    nibble::codec(type_, isa).encode(x.data(), nullptr, columns, nibble::Effort::kFast, row.data());
    return row;
  }

  size_t padded() const { return (static_cast<size_t>(columns_) + 255) / 256 * 256; }

  float dot(Isa isa) const {
    const std::vector<float> x(padded(), 0.5f), d(padded() / 32, 0.25f), s(padded() / 16, 12.0f);
    const std::vector<int8_t> q(padded(), 3);
    float product = 0;
    nibble::codec(type_, isa)
        .dots(stored_.data(), 0, 1, {x.data(), q.data(), d.data(), s.data()}, columns_, &product);
    return product;
  }

  void unpack(Isa isa) const {
    std::vector<float> x(padded()), d(padded() / 16), m(padded() / 16);
    std::vector<uint8_t> q(padded());
    nibble::codec(type_, isa)
        .unpack(stored_.data(), columns_, {x.data(), q.data(), d.data(), m.data()});
  }

  DType type_;
  int64_t columns_;
  std::vector<std::byte> stored_;  // aligned, and its end is watched
};

void check_weights(const nibble::TensorInfo& tensor, std::span<const std::byte> weights) {
  const auto columns = static_cast<int64_t>(tensor.shape.columns());
  if (columns == 0 || columns > kMaxColumns) return;
  for (uint64_t r = 0; r < std::min(tensor.shape.rows(), kMaxRows); ++r) {
    Row(tensor.type, weights.subspan(r * tensor.row_bytes(), tensor.row_bytes()), columns).check();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  try {
    const nibble::GgufHeader header = nibble::parse_gguf_header(file, "fuzz.gguf");
    for (size_t i = 0; i < std::min(header.tensors.size(), kMaxTensors); ++i) {
      check_weights(header.tensors[i], file.subspan(header.offsets[i], header.tensors[i].bytes()));
    }
  } catch (const nibble::Error&) {
  }
  return 0;
}
