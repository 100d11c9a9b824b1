// matmul_speed [TYPE...]: a matrix of each format times a batch of activations on one core, in 10^9
// multiplications a second, for the two shapes of a small model's feed-forward network.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/cpu_time.h"
#include "codec/codec.h"
#include "kernel/matmul.h"

namespace nibble {
namespace {

std::vector<float> random_floats(int64_t count, float spread) {
  Random random(1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = spread * static_cast<float>(2 * random.uniform() - 1);
  return values;
}

// The best of five: other processes disturb.
double rate(DType type, int64_t rows, int64_t columns, int64_t batch) {
  const int64_t row_bytes = columns / block_weights(type) * block_bytes(type);
  std::vector<std::byte> stored(static_cast<size_t>(rows * row_bytes));
  const auto weights = random_floats(columns, 0.02f);
  for (int64_t r = 0; r < rows; ++r) {
    codec(type).encode(weights.data(), nullptr, columns, Effort::kFast,
                       stored.data() + r * row_bytes);
  }
  const auto x = random_floats(batch * columns, 1.0f);
  std::vector<float> y(static_cast<size_t>(batch * rows));
  ThreadPool pool(1);
  ActivationBatch activations;
  double best = INFINITY;
  for (int round = 0; round < 5; ++round) {
    const double begin = cpu_seconds();
    activations.assign(x.data(), batch, columns);
    matmul({type, rows, columns, stored.data()}, activations, y.data(), pool);
    best = std::min(best, cpu_seconds() - begin);
  }
  return 1e-9 * static_cast<double>(rows * columns * batch) / best;
}

}  // namespace
}  // namespace nibble

int main(int argc, char** argv) {
  using namespace nibble;
  fmt::print("10^9 multiplications a second on one core, {}\n", isa_name(active_isa()));
  fmt::print("{:8} {:>12} {:>12} {:>12} {:>12} {:>12}\n", "type", "2048 x 512", "5632 x 512",
             "2048 x 32", "2048 x 8", "2048 x 1");
  for (const DType type : all_dtypes()) {
    const auto is_named = [&](const char* name) { return dtype_from_name(name) == type; };
    if (argc > 1 && !std::any_of(argv + 1, argv + argc, is_named)) continue;
    fmt::print("{:8} {:12.1f} {:12.1f} {:12.1f} {:12.1f} {:12.1f}\n", dtype_name(type),
               rate(type, 2048, 2048, 512), rate(type, 2048, 5632, 512), rate(type, 2048, 2048, 32),
               rate(type, 2048, 2048, 8), rate(type, 2048, 2048, 1));
    std::fflush(stdout);
  }
  return 0;
}
