#include "infer/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "nibble/error.h"

namespace nibble {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Every filter off, temperature 1.
SamplerOptions plain(uint64_t seed = 1) {
  return {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = seed};
}

std::map<uint32_t, int> draw(const SamplerOptions& options, const std::vector<float>& logits,
                             int draws) {
  Sampler sampler(options);
  std::map<uint32_t, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[sampler.sample(logits)];
  return counts;
}

std::set<uint32_t> candidates(const SamplerOptions& options, const std::vector<float>& logits) {
  std::set<uint32_t> ids;
  for (const auto& [id, count] : draw(options, logits, 20000)) ids.insert(id);
  return ids;
}

std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

using Ids = std::set<uint32_t>;
const std::vector<float> kLogits = logits_of({0.1, 0.4, 0.05, 0.3, 0.15});  // best: 1 3 4 0 2

// Pearson's statistic against the expected probabilities.
double chi_square(const std::map<uint32_t, int>& counts, const std::vector<double>& expected,
                  int draws) {
  double sum = 0;
  for (uint32_t id = 0; id < expected.size(); ++id) {
    const double count = counts.contains(id) ? counts.at(id) : 0;
    const double mean = expected[id] * draws;
    sum += (count - mean) * (count - mean) / mean;
  }
  return sum;
}

TEST(Sampler, DrawsByTheSoftmax) {
  constexpr int kDraws = 100000;
  // 4 degrees of freedom: above 18.5 once in a thousand.
  EXPECT_LT(chi_square(draw(plain(), kLogits, kDraws), {0.1, 0.4, 0.05, 0.3, 0.15}, kDraws), 18.5);
}

TEST(Sampler, DividesTheLogitsByTheTemperature) {
  constexpr int kDraws = 100000;
  SamplerOptions options = plain();
  options.temperature = 0.5f;  // squares the probabilities
  std::vector<double> expected = {0.01, 0.16, 0.0025, 0.09, 0.0225};
  for (double& p : expected) p /= 0.285;
  EXPECT_LT(chi_square(draw(options, kLogits, kDraws), expected, kDraws), 18.5);
}

TEST(Sampler, TakesTheFirstOfTheLargestWhenGreedy) {
  Sampler sampler({.temperature = 0});
  EXPECT_EQ(sampler.sample(kLogits), 1u);
  EXPECT_EQ(sampler.sample(std::vector<float>{-1, 2, 0, 2, 2}), 1u);
  EXPECT_EQ(sampler.sample(std::vector<float>{-kInfinity, -5}), 1u);
}

TEST(Sampler, KeepsTheKLargest) {
  SamplerOptions options = plain();
  options.top_k = 2;
  EXPECT_EQ(candidates(options, kLogits), (Ids{1, 3}));
  options.top_k = 100;
  EXPECT_EQ(candidates(options, kLogits).size(), 5u);
  options.top_k = 2;  // of equals the lowest ids
  EXPECT_EQ(candidates(options, {1, 1, 1, 1}), (Ids{0, 1}));
}

TEST(Sampler, KeepsTheFewestThatReachP) {
  SamplerOptions options = plain();
  options.top_p = 0.69f;  // 0.4 + 0.3
  EXPECT_EQ(candidates(options, kLogits), (Ids{1, 3}));
  options.top_p = 0.71f;
  EXPECT_EQ(candidates(options, kLogits), (Ids{1, 3, 4}));
  options.top_p = 1e-6f;
  EXPECT_EQ(candidates(options, kLogits), (Ids{1}));
}

TEST(Sampler, MeasuresPAmongTheKLargest) {
  SamplerOptions options = plain();
  options.top_k = 2;
  options.top_p = 0.55f;  // 0.4 is 0.57 of 0.7
  EXPECT_EQ(candidates(options, kLogits), (Ids{1}));
}

TEST(Sampler, KeepsWhatComesCloseToTheBest) {
  SamplerOptions options = plain();
  options.min_p = 0.74f;  // 0.3 is 0.75 of 0.4
  EXPECT_EQ(candidates(options, kLogits), (Ids{1, 3}));
  options.min_p = 0.76f;
  EXPECT_EQ(candidates(options, kLogits), (Ids{1}));
  options.min_p = 1;
  EXPECT_EQ(candidates(options, {2, 2, 1}), (Ids{0, 1}));
}

TEST(Sampler, FiltersBeforeTheTemperature) {
  SamplerOptions options = plain();
  options.min_p = 0.2f;
  options.temperature = 100;  // nearly flat: all of them would pass afterwards
  EXPECT_EQ(candidates(options, kLogits), (Ids{0, 1, 3, 4}));
}

TEST(Sampler, NeverDrawsWhatIsRuledOut) {
  EXPECT_EQ(candidates(plain(), {0, -kInfinity, 0}), (Ids{0, 2}));
}

TEST(Sampler, PenalizesRecentTokensOnce) {
  Sampler sampler({.temperature = 0, .repetition_penalty = 2});
  const std::vector<float> logits = {3, 4, -1};
  EXPECT_EQ(sampler.sample(logits), 1u);
  sampler.accept(1);
  EXPECT_EQ(sampler.sample(logits), 0u);  // 3, 2, -1
  sampler.accept(0);
  EXPECT_EQ(sampler.sample(logits), 1u);  // 1.5, 2, -1
  sampler.accept(1);
  EXPECT_EQ(sampler.sample(logits), 1u);  // a second time changes nothing
}

TEST(Sampler, MakesNegativeLogitsSmaller) {
  Sampler sampler({.temperature = 0, .repetition_penalty = 2});
  sampler.accept(0);
  EXPECT_EQ(sampler.sample(std::vector<float>{-2, -3}), 1u);  // -4, -3
}

TEST(Sampler, ForgetsWhatLeavesTheWindow) {
  Sampler sampler({.temperature = 0, .repetition_penalty = 2, .repetition_window = 2});
  const std::vector<float> logits = {4, 3, 1, 1};
  sampler.accept(0);
  sampler.accept(2);
  EXPECT_EQ(sampler.sample(logits), 1u);
  sampler.accept(3);
  EXPECT_EQ(sampler.sample(logits), 0u);
  Sampler forgetful({.temperature = 0, .repetition_penalty = 2, .repetition_window = 0});
  forgetful.accept(0);
  EXPECT_EQ(forgetful.sample(logits), 0u);
}

TEST(Sampler, RepeatsItselfForASeed) {
  const auto sequence = [](uint64_t seed) {
    Sampler sampler(plain(seed));
    std::vector<uint32_t> ids;
    for (int i = 0; i < 16; ++i) ids.push_back(sampler.sample(kLogits));
    return ids;
  };
  EXPECT_EQ(sequence(5), sequence(5));
  EXPECT_NE(sequence(5), sequence(6));
}

TEST(Sampler, RefusesOptionsOutOfRange) {
  const auto refuses = [](const char* name, auto&& change) {
    SamplerOptions options;
    change(options);
    try {
      const Sampler sampler(options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      return;
    }
    ADD_FAILURE() << name;
  };
  for (const float value : {-0.1f, kInfinity, kNan}) {
    refuses("temperature", [&](SamplerOptions& o) { o.temperature = value; });
  }
  for (const float value : {-0.1f, 0.0f, 1.1f, kNan}) {
    refuses("top_p", [&](SamplerOptions& o) { o.top_p = value; });
  }
  for (const float value : {-0.1f, 1.1f, kNan}) {
    refuses("min_p", [&](SamplerOptions& o) { o.min_p = value; });
  }
  for (const float value : {-1.0f, 0.0f, kInfinity, kNan}) {
    refuses("repetition_penalty", [&](SamplerOptions& o) { o.repetition_penalty = value; });
  }
  refuses("top_k", [](SamplerOptions& o) { o.top_k = -1; });
  refuses("repetition_window", [](SamplerOptions& o) { o.repetition_window = -1; });
}

TEST(Sampler, RefusesLogitsThatNoModelComputes) {
  Sampler sampler({});
  EXPECT_THROW(sampler.sample(std::vector<float>{0, kNan}), Error);
  EXPECT_THROW(sampler.sample(std::vector<float>{0, kInfinity}), Error);
  EXPECT_THROW(sampler.sample(std::vector<float>{-kInfinity, -kInfinity}), Error);
  EXPECT_THROW(sampler.sample(std::vector<float>{}), Error);
}

}  // namespace
}  // namespace nibble
