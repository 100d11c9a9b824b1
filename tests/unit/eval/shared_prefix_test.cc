#include "eval/shared_prefix.h"

#include <gtest/gtest.h>

#include <cmath>

#include "infer/session.h"
#include "support/checkpoint.h"

namespace nibble {
namespace {

using Group = std::vector<ScoredText>;
using Tokens = std::vector<uint32_t>;

class SharedPrefix : public testing::Test {
 protected:
  std::vector<std::vector<double>> score(const std::vector<Group>& groups, int64_t longest,
                                         int64_t most_texts = 8) {
    SharedPrefixScorer scorer(model_.config, model_.weights, pool_, longest, most_texts,
                              DType::kF32);
    auto sums = scorer.score(groups, [&](int64_t done) { done_ = done; });
    read_tokens_ = scorer.read_tokens();
    return sums;
  }

  // Each text by itself, in double precision.
  double alone(const ScoredText& text) {
    const auto count = static_cast<int64_t>(text.tokens.size());
    Session session(model_.config, model_.weights, pool_, count, DType::kF32);
    const auto logits = session.feed(text.tokens, count);
    const auto width = static_cast<size_t>(model_.weights.vocab_size());
    double sum = 0;
    for (size_t i = text.first; i < text.tokens.size(); ++i) {
      const auto row = logits.subspan((i - 1) * width, width);
      double all = 0;
      for (const float logit : row) all += std::exp(static_cast<double>(logit));
      sum += row[text.tokens[i]] - std::log(all);
    }
    return sum;
  }

  void expect_as_alone(const std::vector<Group>& groups, int64_t longest) {
    const auto sums = score(groups, longest);
    EXPECT_EQ(done_, static_cast<int64_t>(groups.size()));
    for (size_t g = 0; g < groups.size(); ++g) {
      for (size_t t = 0; t < groups[g].size(); ++t) {
        // Sums of floats in another order, over up to 300 tokens.
        EXPECT_NEAR(sums[g][t], alone(groups[g][t]), 1e-3) << g << ", " << t;
      }
    }
  }

  static Tokens tokens(size_t count, uint32_t seed) {
    Tokens result = {1};
    for (uint32_t i = 1; i < count; ++i) result.push_back((i * i * 31 + i * seed) % 4000 + 50);
    return result;
  }

  // Texts of `count` tokens more than `context`, all scored.
  static Group group(const Tokens& context, const std::vector<size_t>& counts) {
    Group result;
    for (uint32_t t = 0; t < counts.size(); ++t) {
      ScoredText text{context, context.size()};
      for (const uint32_t id : tokens(counts[t] + 1, 100 + t)) text.tokens.push_back(id);
      text.tokens.erase(text.tokens.begin() + static_cast<ptrdiff_t>(context.size()));
      result.push_back(text);
    }
    return result;
  }

  Checkpoint model_{kLab7m};
  ThreadPool pool_{2};
  int64_t done_ = 0, read_tokens_ = 0;
};

TEST_F(SharedPrefix, GivesEachTextWhatItHasAlone) {
  expect_as_alone({group(tokens(20, 3), {5, 1, 9}), group(tokens(33, 7), {2, 2})}, 64);
}

TEST_F(SharedPrefix, CutsWhatDoesNotFitABatch) {
  const Tokens examples = tokens(600, 5);
  Tokens longer = examples;
  for (const uint32_t id : tokens(30, 9)) longer.push_back(id);
  expect_as_alone({group(examples, {300, 3}), group(longer, {7, 290})}, 1000);
}

TEST_F(SharedPrefix, ReadsContextsAndExamplesOnce) {
  const Tokens examples = tokens(50, 5);
  std::vector<Group> groups;
  for (uint32_t g = 0; g < 3; ++g) {
    Tokens context = examples;
    context.push_back(60 + g);
    context.push_back(70 + g);
    groups.push_back(group(context, {3, 4}));
  }
  score(groups, 64);
  // The examples; of each group the first token of its own; of each text the last one of the
  // context and all of its own but the last.
  EXPECT_EQ(read_tokens_, 50 + 3 * (1 + (1 + 2) + (1 + 3)));
}

TEST_F(SharedPrefix, ReadsTextsThatDifferInTheLastTokenOnce) {
  Group letters;
  for (const uint32_t letter : {300u, 301u, 302u, 303u}) {
    letters.push_back({tokens(12, 3), 12});
    letters.back().tokens.push_back(letter);
  }
  expect_as_alone({letters}, 16);
  EXPECT_EQ(read_tokens_, 12);
}

TEST_F(SharedPrefix, WorksThroughMoreGroupsThanFit) {
  std::vector<Group> groups;
  for (uint32_t g = 0; g < 90; ++g) groups.push_back(group(tokens(6 + g % 5, g), {2, 3}));
  const auto sums = score(groups, 16, 2);  // 2 x 90 texts, more than sequences
  for (const size_t g : {size_t{0}, size_t{63}, size_t{64}, size_t{89}})
    EXPECT_NEAR(sums[g][1], alone(groups[g][1]), 1e-3) << g;
}

}  // namespace
}  // namespace nibble
