// Decisions between two models: how often they are wrong and how much text they take, by replays of
// differences that were measured, and on the bundled model.
#include "nibble/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "base/random.h"
#include "flow/verdict.h"
#include "nibble/error.h"
#include "support/files.h"

namespace nibble {
namespace {

constexpr double kWithin = 0.005;

// Columns of the golden file: of each window the mean -ln p of a type less that of the original.
std::vector<double> window_differences(const std::string& type) {
  if (type == "f16") return std::vector<double>(800);
  std::istringstream file(
      read_file(repository_path("tests/golden/evaluate/window_differences.tsv")));
  std::string line, word;
  std::getline(file, line);
  std::istringstream header(line);
  std::vector<std::string> names;
  while (header >> word) names.push_back(word);
  const auto column = std::find(names.begin(), names.end(), type) - names.begin();
  std::vector<double> values;
  while (std::getline(file, line)) {
    std::istringstream row(line);
    double value = 0;
    for (ptrdiff_t i = 0; i <= column; ++i) row >> value;
    values.push_back(1e-6 * value);
  }
  return values;
}

bool is_wrong(Outcome outcome, double mean) {
  switch (outcome) {
    case Outcome::kBetter:
      return mean >= 0;
    case Outcome::kWorse:
      return mean <= 0;
    case Outcome::kEqual:
      return std::abs(mean) >= std::log1p(kWithin);
    case Outcome::kUndecided:
      break;
  }
  return false;
}

struct Replays {
  int wrong = 0, undecided = 0;
  std::vector<size_t> windows;  // read in each

  double median_share(size_t available) {
    std::nth_element(windows.begin(), windows.begin() + std::ssize(windows) / 2, windows.end());
    return static_cast<double>(windows[windows.size() / 2]) / static_cast<double>(available);
  }
};

// Texts of as many windows as were measured, drawn from those with replacement.
Replays replay(const std::vector<double>& differences, int count) {
  const double mean = std::accumulate(differences.begin(), differences.end(), 0.0) /
                      static_cast<double>(differences.size());
  Random random(1);
  Replays replays;
  for (int i = 0; i < count; ++i) {
    ConfidenceSequence sequence;
    Outcome outcome = Outcome::kUndecided;
    for (size_t w = 0; w < differences.size() && outcome == Outcome::kUndecided; ++w) {
      sequence.add(differences[random.next() % differences.size()]);
      outcome = outcome_of(sequence, kWithin);
    }
    replays.wrong += is_wrong(outcome, mean) ? 1 : 0;
    replays.undecided += outcome == Outcome::kUndecided ? 1 : 0;
    replays.windows.push_back(static_cast<size_t>(sequence.count()));
  }
  return replays;
}

class DecisionBetween : public testing::TestWithParam<std::pair<const char*, const char*>> {};

// 5 % wrong and 20 % of the text are what the issue of evaluation asks for; the worst of these
// pairs is wrong in 0.2 % and takes 12.5 %.
TEST_P(DecisionBetween, IsSeldomWrongAndTakesAFractionOfTheText) {
  constexpr int kReplays = 1000;
  auto differences = window_differences(GetParam().first);
  const auto others = window_differences(GetParam().second);
  ASSERT_EQ(differences.size(), 800u);
  for (size_t i = 0; i < differences.size(); ++i) differences[i] -= others[i];
  Replays replays = replay(differences, kReplays);
  EXPECT_LE(replays.wrong, kReplays * 5 / 100);
  EXPECT_LE(replays.undecided, kReplays * 5 / 100);
  const double share = replays.median_share(differences.size());
  EXPECT_LE(share, 0.2);
  RecordProperty("wrong", replays.wrong);
  RecordProperty("median_share", std::to_string(share));
}

INSTANTIATE_TEST_SUITE_P(Types, DecisionBetween,
                         testing::Values(std::pair("q8_0", "f16"), std::pair("q6_k", "f16"),
                                         std::pair("q4_k_m", "f16"), std::pair("q4_0", "f16"),
                                         std::pair("iq4_xs", "f16"), std::pair("q2_k", "f16"),
                                         std::pair("q4_k_m", "q8_0"), std::pair("q4_0", "q4_k_m"),
                                         std::pair("iq4_xs", "q4_k_m"), std::pair("iq4_xs", "q4_0"),
                                         std::pair("q2_k", "q4_0"), std::pair("q6_k", "q8_0")));

// The hardest cases: differences at the very edge, of which half the decisions could be wrong.
class DecisionAtTheEdge : public testing::TestWithParam<double> {};

TEST_P(DecisionAtTheEdge, IsSeldomWrong) {
  constexpr int kReplays = 1000;
  constexpr int kMostWrong = 67;  // the binomial distribution's 99 % quantile, for 5 % of 1000
  auto differences = window_differences("q4_0");
  const double mean = std::accumulate(differences.begin(), differences.end(), 0.0) /
                      static_cast<double>(differences.size());
  for (double& difference : differences) difference += GetParam() - mean;
  const Replays replays = replay(differences, kReplays);
  EXPECT_LE(replays.wrong, kMostWrong);
  RecordProperty("wrong", replays.wrong);
}

INSTANTIATE_TEST_SUITE_P(Means, DecisionAtTheEdge,
                         testing::Values(0.0, 0.004988, -0.004988, 0.001, -0.003));

const auto kLab7m = repository_path("assets/lab-7m");

Decision decide_on_own_text(const char* type, const DecideOptions& options) {
  LoadOptions load;
  load.type = type;
  return decide(Model(kLab7m, load), Model(kLab7m),
                read_file(repository_path("assets/lab-7m-text/evaluation.txt")), options);
}

TEST(Decide, StopsWhenEnoughIsKnown) {
  const Decision worse = decide_on_own_text("q2_k", {.context = 64});
  EXPECT_EQ(worse.outcome, Outcome::kWorse);
  EXPECT_LT(1, worse.low);
  EXPECT_LT(worse.low, worse.ratio);
  EXPECT_LT(worse.ratio, worse.high);
  EXPECT_LT(worse.share(), 0.2);
  EXPECT_EQ(worse.tokens, 64 * worse.windows);
}

TEST(Decide, FindsAModelEqualToItself) {
  const Decision equal = decide_on_own_text("", {.context = 64});
  EXPECT_EQ(equal.outcome, Outcome::kEqual);
  EXPECT_EQ(equal.ratio, 1);
  EXPECT_EQ(equal.windows, ConfidenceSequence::kLeast);
}

TEST(Decide, LeavesOpenWhatAShortTextCannotTell) {
  const Decision open = decide_on_own_text("q8_0", {.within = 1e-6, .context = 64, .windows = 20});
  EXPECT_EQ(open.outcome, Outcome::kUndecided);
  EXPECT_EQ(open.windows, 20);
  EXPECT_EQ(open.share(), 1);
}

TEST(Decide, RefusesWhatMakesNoSense) {
  const Model model(kLab7m);
  for (const double within : {0.0, -0.01, 1.5, std::nan("")})
    EXPECT_THROW(decide(model, model, "text", {.within = within}), Error);
  EXPECT_THROW(decide(model, model, "text", {.context = 1}), Error);
  EXPECT_THROW(decide(model, model, "a short text", {.context = 256}), Error);
}

TEST(DecideTask, AnswersAsManyItemsAsItTakes) {
  const Task task("mc=" + repository_path("assets/lab-7m-tasks/mc.jsonl").string());
  const Model model(kLab7m);
  const TaskDecision equal = decide_task(model, model, task, {.within = 0.5});
  EXPECT_EQ(equal.outcome, Outcome::kEqual);
  EXPECT_EQ(equal.score, "acc");
  EXPECT_EQ(equal.difference, 0);
  EXPECT_LT(equal.items, equal.available_items);
  const TaskDecision open = decide_task(model, model, task, {.within = 1e-4});
  EXPECT_EQ(open.outcome, Outcome::kUndecided);
  EXPECT_EQ(open.items, open.available_items);
  EXPECT_LT(open.low, -0.01);
}

TEST(DecideTask, SaysWhichIsBetter) {
  BoundedSequence losses, wins;
  for (int i = 0; i < 200; ++i) {
    losses.add(i % 4 == 0 ? -1 : 0);
    wins.add(i % 4 == 0 ? 1 : 0);
  }
  EXPECT_EQ(outcome_of(losses, 0.01), Outcome::kWorse);
  EXPECT_EQ(outcome_of(wins, 0.01), Outcome::kBetter);
  EXPECT_EQ(outcome_of(wins, 0.9), Outcome::kEqual);
}

}  // namespace
}  // namespace nibble
