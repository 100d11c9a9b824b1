// Attention over every type of cache against the plain formula in double precision, and bit for bit
// between ISAs, threads and batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "kernel/batch_attention.h"
#include "kernel/hadamard.h"
#include "kernel/kv_store.h"
#include "kernel/operations.h"
#include "support/random.h"

namespace nibble {
namespace {

// Of what attention gives (up to 2). A score's rounding error, some 2^-24 of the products that it
// adds up, goes into its exponential: measured are 4.4e-7 for single heads, 2.8e-6 for blocks.
constexpr double kAttentionError = 1e-5;
constexpr float kScale = 0.25f;

size_t size(int64_t n) { return static_cast<size_t>(n); }

struct Shape {
  int64_t heads, kv_heads, head_dim, first, tokens;
  int64_t positions() const { return first + tokens; }
};

// The matrix itself: element (i, k) is -1 to the number of ones that i and k have in common.
std::vector<double> rotate_by_definition(const std::vector<float>& x) {
  const size_t block = size_t{1} << std::countr_zero(x.size());
  std::vector<double> y(x.size(), 0.0);
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t k = i / block * block; k < (i / block + 1) * block; ++k)
      y[i] += std::popcount(i & k & (block - 1)) % 2 == 0 ? x[k] : -x[k];
    y[i] /= std::sqrt(static_cast<double>(block));
  }
  return y;
}

TEST(Hadamard, MultipliesByTheMatrixAndIsItsOwnInverse) {
  for (const size_t n : {32u, 64u, 96u, 128u}) {
    const auto x = random_floats(n, 2.0f, 3);
    auto rotated = x;
    hadamard(rotated.data(), static_cast<int64_t>(n));
    const auto expected = rotate_by_definition(x);
    for (size_t i = 0; i < n; ++i) ASSERT_NEAR(rotated[i], expected[i], 2e-6) << n;
    hadamard(rotated.data(), static_cast<int64_t>(n));
    for (size_t i = 0; i < n; ++i) ASSERT_NEAR(rotated[i], x[i], 2e-6) << n;
  }
}

// What a head's row is after it was stored.
std::vector<double> stored(DType type, bool rotated, const float* row, int64_t head_dim) {
  std::vector<float> x(row, row + head_dim);
  if (rotated) hadamard(x.data(), head_dim);
  std::vector<std::byte> encoded(x.size() / block_weights(type) * block_bytes(type));
  codec(type).encode(x.data(), nullptr, head_dim, Effort::kFast, encoded.data());
  codec(type).decode(encoded.data(), head_dim, x.data());
  return rotated ? rotate_by_definition(x) : std::vector<double>(x.begin(), x.end());
}

// What some models add to attention.
struct Extras {
  int64_t window = 0;
  float softcap = 0;
  bool has_slopes = false, has_sinks = false;
};

// Tokens of a sequence, and a layer's cache.
struct Sequence {
  Shape shape;
  Extras extras = {};
  KvLayout layout;
  std::vector<float> queries, key_rows, value_rows, slopes, sinks;
  std::vector<std::byte> keys, values;

  Sequence(const Shape& s, KvTypes types, uint64_t seed)
      : shape(s),
        layout(s.kv_heads, s.head_dim, s.positions(), types),
        queries(random_floats(size(s.tokens * s.heads * s.head_dim), 2.0f, seed)),
        key_rows(random_floats(size(s.positions() * s.kv_heads * s.head_dim), 2.0f, seed + 1)),
        value_rows(random_floats(key_rows.size(), 2.0f, seed + 2)),
        slopes(random_floats(size(s.heads), 0.2f, seed + 3)),
        sinks(random_floats(size(s.heads), 3.0f, seed + 4)),
        keys(size(layout.key_bytes())),
        values(size(layout.value_bytes())) {
    for (int64_t p = 0; p < s.positions(); ++p) {
      const int64_t at = p * s.kv_heads * s.head_dim;
      store_position(layout, p, key_rows.data() + at, value_rows.data() + at, keys.data(),
                     values.data());
    }
  }

  AttentionBatch batch(int64_t token, int64_t count, std::vector<float>& output) const {
    const int64_t at = token * shape.heads * shape.head_dim;
    return {queries.data() + at,
            keys.data(),
            values.data(),
            layout,
            output.data() + at,
            count,
            shape.first + token,
            shape.heads,
            kScale,
            extras.window,
            extras.softcap,
            extras.has_slopes ? slopes.data() : nullptr,
            extras.has_sinks ? sinks.data() : nullptr};
  }

  std::vector<float> attend_in_steps(int64_t step, int threads) const {
    ThreadPool pool(threads);
    std::vector<float> output(queries.size());
    for (int64_t t = 0; t < shape.tokens; t += step) {
      const AttentionBatch each = batch(t, std::min(step, shape.tokens - t), output);
      attend({&each, 1}, pool);
    }
    return output;
  }

  std::vector<double> expected(int64_t token, int64_t head) const {
    const int64_t dim = shape.head_dim;
    const int64_t column = head / (shape.heads / shape.kv_heads) * dim;
    std::vector<double> sum(size(dim), 0.0);
    double total = extras.has_sinks ? std::exp(static_cast<double>(sinks[size(head)])) : 0;
    const int64_t last = shape.first + token;
    const int64_t first = extras.window == 0 ? 0 : std::max<int64_t>(last + 1 - extras.window, 0);
    for (int64_t p = first; p <= last; ++p) {
      const int64_t at = p * shape.kv_heads * dim + column;
      const auto key =
          stored(layout.types.key, are_keys_rotated(layout.types.key), key_rows.data() + at, dim);
      const auto value = stored(layout.types.value, false, value_rows.data() + at, dim);
      double score = 0;
      for (int64_t i = 0; i < dim; ++i)
        score += key[size(i)] * queries[size((token * shape.heads + head) * dim + i)];
      score *= kScale;
      if (extras.softcap > 0) score = extras.softcap * std::tanh(score / extras.softcap);
      if (extras.has_slopes) score += slopes[size(head)] * static_cast<double>(p - last);
      const double weight = std::exp(score);
      total += weight;
      for (int64_t i = 0; i < dim; ++i) sum[size(i)] += weight * value[size(i)];
    }
    for (double& x : sum) x /= total;
    return sum;
  }

  void expect_formula(const std::vector<float>& found) const {
    for (int64_t i = 0; i < shape.tokens * shape.heads; ++i) {
      const auto row = expected(i / shape.heads, i % shape.heads);
      for (int64_t k = 0; k < shape.head_dim; ++k)
        ASSERT_NEAR(found[size(i * shape.head_dim + k)], row[size(k)], kAttentionError);
    }
  }
};

// The heads of the last token that share the first head of keys, by one table.
std::vector<float> attend_heads(const Operations& ops, const Sequence& s) {
  const int64_t dim = s.shape.head_dim;
  const int64_t sharing = s.shape.heads / s.shape.kv_heads;
  std::vector<float> queries(s.queries.end() - s.shape.heads * dim,
                             s.queries.end() - (s.shape.heads - sharing) * dim);
  for (int64_t h = 0; h < sharing && are_keys_rotated(s.layout.types.key); ++h)
    hadamard(queries.data() + h * dim, dim);
  for (float& q : queries) q *= kScale;
  std::vector<float> weights(kAttentionHeads * kAttentionPositions), output(queries.size());
  ops.attend({queries.data(), s.keys.data(), s.values.data(), s.layout.key_row, s.layout.value_row,
              &ops.kv_reader(s.layout.types.key), &ops.kv_reader(s.layout.types.value),
              s.shape.positions(), dim, static_cast<int>(sharing), weights.data(), output.data()});
  return output;
}

std::vector<KvTypes> pairs_of_types() {
  std::vector<KvTypes> pairs;
  for (const DType type : kKvTypes) pairs.push_back(type);
  pairs.push_back({DType::kQ8_0, DType::kQ4_0});
  pairs.push_back({DType::kF16, DType::kQ8_0});
  pairs.push_back({DType::kQ4_0, DType::kBF16});
  return pairs;
}

class AttentionOver : public testing::TestWithParam<KvTypes> {
 protected:
  // Only dimensions that both types' blocks divide.
  static std::vector<Shape> possible(std::vector<Shape> shapes) {
    std::erase_if(shapes, [](const Shape& shape) {
      return shape.head_dim % block_weights(GetParam().key) != 0 ||
             shape.head_dim % block_weights(GetParam().value) != 0;
    });
    return shapes;
  }
};

TEST_P(AttentionOver, SingleTokensFollowTheFormulaOnEveryIsa) {
  for (const int64_t head_dim : {8, 32, 80, 96, 128}) {
    for (const int64_t positions : {1, 7, 16, 50, 300}) {
      for (const Shape& shape : possible({{3, 1, head_dim, positions - 1, 1}})) {
        const Sequence sequence(shape, GetParam(), 7);
        const auto definition = attend_heads(operations(Isa::kScalar), sequence);
        sequence.expect_formula(definition);
        for (const Isa isa : available_isas())
          EXPECT_EQ(attend_heads(operations(isa), sequence), definition) << isa_name(isa);
      }
    }
  }
}

// Positions in less than a block, in blocks and a rest, and more tokens than one part takes.
TEST_P(AttentionOver, BatchesFollowTheFormulaAndNoCutChangesABit) {
  for (const Shape& shape : possible({{4, 2, 8, 0, 5},
                                      {6, 2, 80, 300, 9},
                                      {3, 3, 20, 250, 40},
                                      {64, 1, 16, 3, 21},
                                      {4, 2, 32, 0, 5},
                                      {6, 2, 96, 250, 18},
                                      {20, 1, 64, 3, 31}})) {
    const Sequence sequence(shape, GetParam(), 17);
    const auto found = sequence.attend_in_steps(shape.tokens, 1);
    sequence.expect_formula(found);
    for (const int64_t step : {1, 2, 3})  // alone as in blocks
      EXPECT_EQ(sequence.attend_in_steps(step, 3), found) << step << " tokens at a time";
  }
}

// Windows that end inside a block, at its end and before its beginning; ALiBi, softcaps, sinks.
TEST_P(AttentionOver, FollowsTheFormulaWithWhatModelsAdd) {
  const Extras kinds[] = {{.window = 5},
                          {.window = 256},
                          {.window = 300},
                          {.softcap = 3},
                          {.has_slopes = true},
                          {.has_sinks = true},
                          {.window = 40, .softcap = 5, .has_slopes = true, .has_sinks = true}};
  for (const Shape& shape :
       possible({{4, 2, 32, 290, 24}, {4, 2, 16, 0, 40}, {3, 1, 64, 600, 1}})) {
    for (const Extras& extras : kinds) {
      Sequence sequence(shape, GetParam(), 37);
      sequence.extras = extras;
      const auto found = sequence.attend_in_steps(shape.tokens, 1);
      sequence.expect_formula(found);
      for (const int64_t step : {1, 7})
        EXPECT_EQ(sequence.attend_in_steps(step, 2), found) << step << " tokens at a time";
    }
  }
}

TEST_P(AttentionOver, KeepsSequencesApart) {
  ThreadPool pool(2);
  std::vector<Sequence> sequences;
  for (const Shape& shape :
       {Shape{8, 2, 64, 0, 1}, {8, 2, 64, 300, 1}, {8, 2, 64, 5, 20}, {8, 2, 64, 33, 2}})
    sequences.emplace_back(shape, GetParam(), 27 + sequences.size());
  std::vector<std::vector<float>> outputs;
  for (const Sequence& each : sequences) outputs.emplace_back(each.queries.size());
  std::vector<AttentionBatch> batches;
  for (size_t i = 0; i < sequences.size(); ++i)
    batches.push_back(sequences[i].batch(0, sequences[i].shape.tokens, outputs[i]));
  attend(batches, pool);
  for (size_t i = 0; i < sequences.size(); ++i)
    EXPECT_EQ(outputs[i], sequences[i].attend_in_steps(100, 1)) << "sequence " << i;
}

INSTANTIATE_TEST_SUITE_P(Types, AttentionOver, testing::ValuesIn(pairs_of_types()),
                         [](const auto& param) {
                           return std::string(dtype_name(param.param.key)) + "_" +
                                  std::string(dtype_name(param.param.value));
                         });

class AttentionOnEveryIsa : public testing::TestWithParam<Isa> {};

TEST_P(AttentionOnEveryIsa, AttendsBlocksWithTheBitsOfTheScalarDefinition) {
  const int64_t positions = 24, head_dim = 16;
  const auto queries = random_floats(32 * head_dim, 1.0f, 15);
  const auto keys = random_floats(positions * head_dim, 1.0f, 16);
  std::vector<float> visible(32), hidden(32), behind(32);
  for (size_t i = 0; i < 32; ++i) {
    visible[i] = static_cast<float>(i % 25);
    hidden[i] = static_cast<float>(i % 7);
    behind[i] = 1.0f - visible[i];
  }
  const auto slopes = random_floats(32, 0.2f, 18);
  const auto run = [&](const Operations& table, bool with_all) {
    std::vector<float> scores(positions * 32), weights(positions * 32), largest(32, -1e30f),
        total(16 * 32), output(head_dim * 32);
    for (int block = 0; block < 2; ++block) {
      table.attend_block({queries.data(), keys.data(), keys.data(), visible.data(), positions,
                          head_dim, scores.data(), weights.data(), largest.data(), total.data(),
                          output.data(), with_all ? hidden.data() : nullptr, with_all ? 4.0f : 0.0f,
                          with_all ? slopes.data() : nullptr, behind.data()});
    }
    output.insert(output.end(), total.begin(), total.end());
    return output;
  };
  for (const bool with_all : {false, true})
    EXPECT_EQ(run(operations(GetParam()), with_all), run(operations(Isa::kScalar), with_all));
}

// What blocks of queries are multiplied with.
TEST_P(AttentionOnEveryIsa, DecodesKeysAndValuesToTheBitsOfTheirFormats) {
  for (const DType type : kKvTypes) {
    const Sequence sequence({1, 1, 96, 0, 16}, type, 5);
    const KvReader& reader = operations(GetParam()).kv_reader(type);
    std::vector<float> keys(96 * 16), value(96);
    reader.decode_keys(sequence.keys.data(), 96, keys.data());
    for (int64_t p = 0; p < 16; ++p) {
      reader.decode_value(sequence.values.data() + sequence.layout.value(0, p), 96, value.data());
      std::vector<float> key(96);
      for (size_t i = 0; i < 96; ++i) key[i] = keys[16 * i + size(p)];
      const bool rotated = are_keys_rotated(type);
      const auto plain_key =
          rotated ? rotate_by_definition(key) : std::vector<double>(key.begin(), key.end());
      EXPECT_EQ(plain_key, stored(type, rotated, sequence.key_rows.data() + p * 96, 96));
      EXPECT_EQ(std::vector<double>(value.begin(), value.end()),
                stored(type, false, sequence.value_rows.data() + p * 96, 96));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, AttentionOnEveryIsa, testing::ValuesIn(available_isas()),
                         [](const auto& param) { return std::string(isa_name(param.param)); });

}  // namespace
}  // namespace nibble
