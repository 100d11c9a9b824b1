// format_speed [TYPE...]: what each format costs on one core: nanoseconds a weight to encode (at
// each effort, and with importance), decode, unpack and multiply with a row of activations.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/cpu_time.h"
#include "codec/codec.h"

namespace nibble {
namespace {

constexpr int64_t kColumns = 4096;
constexpr int64_t kRows = 64;

// Seconds of this thread's CPU time for one call, the best of three series: other processes
// disturb.
double seconds_of(const std::function<void()>& work) {
  double best = INFINITY;
  for (int series = 0; series < 3; ++series) {
    const double begin = cpu_seconds();
    int calls = 0;
    while (cpu_seconds() - begin < 0.02) {
      work();
      ++calls;
    }
    best = std::min(best, (cpu_seconds() - begin) / calls);
  }
  return best;
}

struct Rows {
  Rows()
      : x(kRows * kColumns), importance(kColumns), q(kColumns), d(kColumns / 32), s(kColumns / 16) {
    Random random(1);
    for (float& v : x) v = 0.02f * gaussian(random);
    for (float& v : importance) v = std::exp(gaussian(random));
    for (int8_t& v : q) v = static_cast<int8_t>(random.uniform() * 127);
    for (float& v : d) v = 0.01f;
  }
  static float gaussian(Random& random) {
    float sum = -6.0f;
    for (int i = 0; i < 12; ++i) sum += static_cast<float>(random.uniform());
    return sum;
  }
  std::vector<float> x, importance;
  std::vector<int8_t> q;
  std::vector<float> d, s;
};

class Measurement {
 public:
  Measurement(DType type, Rows& rows)
      : codec_(codec(type)),
        rows_(rows),
        row_bytes_(static_cast<size_t>(kColumns / block_weights(type) * block_bytes(type))),
        encoded_(kRows * row_bytes_) {}

  double encode(Effort effort, const float* importance) {
    return per_weight([&](int64_t r) {
      codec_.encode(rows_.x.data() + r * kColumns, importance, kColumns, effort, row(r));
    });
  }
  double decode() {
    std::vector<float> y(kColumns);
    return per_weight([&](int64_t r) { codec_.decode(row(r), kColumns, y.data()); });
  }
  double unpack() {
    std::vector<float> x(kColumns), d(kColumns / 16), m(kColumns / 16);
    std::vector<uint8_t> q(kColumns);
    return per_weight([&](int64_t r) {
      codec_.unpack(row(r), kColumns, {x.data(), q.data(), d.data(), m.data()});
    });
  }
  double dot() {
    const ActivationRow activations = {rows_.x.data(), rows_.q.data(), rows_.d.data(),
                                       rows_.s.data()};
    std::vector<float> y(kRows);
    const auto all_rows = [&] {
      codec_.dots(row(0), static_cast<int64_t>(row_bytes_), kRows, activations, kColumns, y.data());
      sum_ += y[0];
    };
    return 1e9 * seconds_of(all_rows) / static_cast<double>(kRows * kColumns);
  }
  float sum() const { return sum_; }  // so that nothing is optimized away

 private:
  std::byte* row(int64_t r) { return encoded_.data() + static_cast<size_t>(r) * row_bytes_; }
  double per_weight(const std::function<void(int64_t)>& one_row) {
    const auto all_rows = [&] {
      for (int64_t r = 0; r < kRows; ++r) one_row(r);
    };
    return 1e9 * seconds_of(all_rows) / static_cast<double>(kRows * kColumns);
  }

  const Codec& codec_;
  Rows& rows_;
  size_t row_bytes_;
  std::vector<std::byte> encoded_;
  float sum_ = 0;
};

void measure(DType type, Rows& rows) {
  Measurement m(type, rows);
  const double best = m.encode(Effort::kBest, nullptr);
  const double fast = m.encode(Effort::kFast, nullptr);
  const double weighted = m.encode(Effort::kDefault, rows.importance.data());
  const double plain = m.encode(Effort::kDefault, nullptr);
  const double decode = m.decode();
  const double unpack = m.unpack();
  const double dot = m.dot();
  fmt::print("{:8} {:9.2f} {:9.2f} {:9.2f} {:9.2f} {:9.2f} {:9.3f} {:9.3f}{}\n", dtype_name(type),
             fast, plain, weighted, best, decode, unpack, dot,
             std::isfinite(m.sum()) ? "" : " (not finite)");
  std::fflush(stdout);
}

}  // namespace
}  // namespace nibble

int main(int argc, char** argv) {
  using namespace nibble;
  Rows rows;
  fmt::print("ns a weight on one core, {}\n", isa_name(active_isa()));
  fmt::print("{:8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "type", "fast", "default",
             "+import.", "best", "decode", "unpack", "dot");
  for (const DType type : all_dtypes()) {
    const auto is_named = [&](const char* name) { return dtype_from_name(name) == type; };
    if (argc == 1 || std::any_of(argv + 1, argv + argc, is_named)) measure(type, rows);
  }
  return 0;
}
