#include "flow/tensor_rounding.h"

#include <algorithm>

#include "codec/codec.h"

namespace nibble {
namespace {

constexpr uint64_t kSampledRows = 128;  // of a tensor, whose errors stand for all rows'
constexpr uint64_t kRowsTogether = 16;

}  // namespace

uint64_t TensorRounding::sampled_together() const {
  return std::min(kRowsTogether, rows_of_matrix());
}

// The first rows of places at equal distances, none of which is in two matrices.
std::vector<uint64_t> TensorRounding::sampled_places() const {
  const uint64_t rows = info().shape.rows(), together = sampled_together();
  const uint64_t count = std::min(rows / together, kSampledRows / kRowsTogether);
  std::vector<uint64_t> places;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t row = (2 * i + 1) * rows / (2 * count);
    const uint64_t end = (row / rows_of_matrix() + 1) * rows_of_matrix();
    places.push_back(std::min(row, end - together));
  }
  return places;
}

// Of rows of errors x, from row `first` on, all of one matrix.
double TensorRounding::cost(const std::vector<float>& x, uint64_t first, uint64_t rows) const {
  const uint64_t columns = info().shape.columns(), matrix = first / rows_of_matrix();
  if (!how_.feedback.empty() && how_.feedback[matrix])
    return moment_cost(*how_.feedback[matrix], x.data(), static_cast<int64_t>(rows));
  const float* weights =
      how_.importance.empty() ? nullptr : how_.importance.data() + matrix * columns;
  double sum = 0;
  for (uint64_t i = 0; i < rows * columns; ++i) {
    const double square = static_cast<double>(x[i]) * x[i];
    sum += weights == nullptr ? square : square * weights[i % columns];
  }
  return sum;
}

std::vector<TensorView> views_of(const TensorInfo& info, DType type,
                                 const std::vector<std::byte>& bytes) {
  const uint64_t matrices = info.shape.dims[2] * info.shape.dims[3];
  std::vector<TensorView> views;
  for (uint64_t m = 0; m < matrices; ++m) {
    views.push_back({.type = type,
                     .rows = static_cast<int64_t>(info.shape.rows() / matrices),
                     .columns = static_cast<int64_t>(info.shape.columns()),
                     .data = bytes.data() + m * (bytes.size() / matrices)});
  }
  return views;
}

TensorRounding::Costs TensorRounding::sample(const std::vector<DType>& types,
                                             ThreadPool& pool) const {
  const auto places = sampled_places();
  const uint64_t columns = info().shape.columns(), rows = sampled_together();
  std::vector<Costs> of_place(places.size(), {0, std::vector<double>(types.size())});
  pool.run(static_cast<int64_t>(places.size()), 1, [&](int64_t i, int64_t, int) {
    const uint64_t first = places[static_cast<size_t>(i)];
    Costs& costs = of_place[static_cast<size_t>(i)];
    RowEncoder encoder;
    encoder.read(source_, tensor_, first, rows);
    const std::vector<float> x(encoder.weights().begin(), encoder.weights().end());
    costs.whole = cost(x, first, rows);
    std::vector<float> error(x.size());
    for (size_t k = 0; k < types.size(); ++k) {
      const auto encoded = encoder.encode(types[k], how_);
      for (uint64_t r = 0; r < rows; ++r) {
        codec(types[k]).decode(encoded.data() + r * (encoded.size() / rows),
                               static_cast<int64_t>(columns), error.data() + r * columns);
      }
      for (size_t w = 0; w < x.size(); ++w) error[w] = x[w] - error[w];
      costs.lost[k] = cost(error, first, rows);
    }
  });
  Costs sum = {0, std::vector<double>(types.size())};
  for (const Costs& costs : of_place) {
    sum.whole += costs.whole;
    for (size_t k = 0; k < types.size(); ++k) sum.lost[k] += costs.lost[k];
  }
  return sum;
}

std::vector<std::byte> TensorRounding::encode(DType type, ThreadPool& pool) const {
  const uint64_t row_bytes = info().shape.columns() / block_weights(type) * block_bytes(type);
  std::vector<std::byte> bytes(info().shape.rows() * row_bytes);
  const auto rows = static_cast<int64_t>(info().shape.rows());
  const auto step = static_cast<int64_t>(rows_at_once(info(), !how_.feedback.empty()));
  std::vector<RowEncoder> encoders(static_cast<size_t>(pool.count()));
  pool.run((rows + step - 1) / step, 1, [&](int64_t piece, int64_t, int worker) {
    const auto first = static_cast<uint64_t>(piece * step);
    const auto count = static_cast<uint64_t>(std::min(step, rows - piece * step));
    RowEncoder& encoder = encoders[static_cast<size_t>(worker)];
    encoder.read(source_, tensor_, first, count);
    std::ranges::copy(encoder.encode(type, how_),
                      bytes.begin() + static_cast<std::ptrdiff_t>(first * row_bytes));
  });
  return bytes;
}

}  // namespace nibble
