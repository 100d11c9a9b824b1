// Tasks end to end, beside what lm-evaluation-harness made of the same items
// (tests/peers/lm_eval_scores.py).
#include "nibble/tasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "support/files.h"

namespace nibble {
namespace {

const std::filesystem::path kItems = repository_path("tests/golden/tasks");
const std::filesystem::path kOwnItems = repository_path("assets/lab-7m-tasks");

// A name in lm_eval.json, and how we are asked for the same.
struct HarnessRun {
  std::string name, task;
  int shots = 0;
  std::string subject = {};  // items of this one only
  enum { kPlain, kTurns, kOneMessage } chat = kPlain;
};

const Model& lab7m() {
  static const Model model(kLab7m);
  return model;
}

// lab-7m as a model that comes with a chat template.
const Model& chatting_lab7m() {
  static const TemporaryFolder folder;
  static const Model model = [] {
    for (const auto& file : std::filesystem::directory_iterator(kLab7m))
      std::filesystem::create_symlink(file.path(), folder / file.path().filename().string());
    std::filesystem::create_symlink(kItems / "chat_template.jinja", folder / "chat_template.jinja");
    return Model(folder.path());
  }();
  return model;
}

class BesideTheHarness : public testing::TestWithParam<HarnessRun> {
 protected:
  // Both add in float32, in another order; a log-likelihood is a sum over up to 40 tokens.
  static constexpr double kClose = 5e-4;

  static TaskResult ours() {
    TaskOptions options;
    options.shots = GetParam().shots;
    if (!GetParam().subject.empty()) options.shots_from = kItems / "mmlu_dev.jsonl";
    options.chat_template = GetParam().chat != HarnessRun::kPlain;
    options.one_message = GetParam().chat == HarnessRun::kOneMessage;
    const auto& task = GetParam().task;
    const auto& folder = task == "mc" || task == "exact" ? kOwnItems : kItems;
    const std::string file = task.substr(0, task.find("-mc")) + ".jsonl";
    const Model& model = options.chat_template ? chatting_lab7m() : lab7m();
    return evaluate_task(model, Task(task + "=" + (folder / file).string(), options), "f32");
  }

  static Json theirs() {
    const auto path = kItems / "lm_eval.json";
    return parse_json(read_file(path), path.string()).at("runs").at(GetParam().name);
  }
};

TEST_P(BesideTheHarness, EveryItemIsEqual) {
  const TaskResult result = ours();
  const Json expected = theirs();
  size_t at = 0;
  for (const TaskItemResult& item : result.items) {
    if (item.group != GetParam().subject && !GetParam().subject.empty()) continue;
    ASSERT_LT(at, expected.at("items").size());
    const Json& other = expected.at("items").at(at++);
    if (other.contains("answer")) {
      EXPECT_EQ(item.answer, other.at("answer").get<std::string>()) << item.id;
    } else {
      const auto sums = other.at("log_likelihoods").get<std::vector<double>>();
      ASSERT_EQ(item.log_likelihoods.size(), sums.size());
      for (size_t c = 0; c < sums.size(); ++c)
        EXPECT_NEAR(item.log_likelihoods[c], sums[c], kClose) << item.id << ", choice " << c;
    }
    for (size_t s = 0; s < result.scores.size(); ++s) {
      EXPECT_NEAR(item.scores[s], other.at(result.scores[s].name).get<double>(), kClose)
          << item.id << ", " << result.scores[s].name;
    }
  }
  EXPECT_EQ(at, expected.at("items").size());
}

TEST_P(BesideTheHarness, ScoresAndTheirErrorsAreEqual) {
  const TaskResult result = ours();
  const Json expected = theirs();
  for (const TaskScore& all : result.scores) {
    const auto is_subject = [](const TaskScore& s) { return s.name == GetParam().subject; };
    const TaskScore& score =
        GetParam().subject.empty() ? all : *std::ranges::find_if(result.groups, is_subject);
    EXPECT_NEAR(score.mean, expected.at(all.name).at("mean").get<double>(), kClose) << all.name;
    EXPECT_NEAR(score.error.value(), expected.at(all.name).at("error").get<double>(), kClose);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Runs, BesideTheHarness,
    testing::Values(
        HarnessRun{"mc", "mc"}, HarnessRun{"mc, 3 shots", "mc", 3}, HarnessRun{"exact", "exact"},
        HarnessRun{"hellaswag", "hellaswag"}, HarnessRun{"hellaswag, 2 shots", "hellaswag", 2},
        HarnessRun{"winogrande", "winogrande"}, HarnessRun{"winogrande, 5 shots", "winogrande", 5},
        HarnessRun{"arc", "arc"}, HarnessRun{"arc, 4 shots", "arc", 4}, HarnessRun{"mmlu", "mmlu"},
        HarnessRun{"mmlu, 2 shots, household", "mmlu", 2, "household"},
        HarnessRun{"mmlu, 2 shots, country life", "mmlu", 2, "country life"},
        HarnessRun{"truthfulqa-mc1", "truthfulqa-mc1"},
        HarnessRun{"truthfulqa-mc2", "truthfulqa-mc2"},
        HarnessRun{"mc, chat", "mc", 0, "", HarnessRun::kTurns},
        HarnessRun{"mc, 3 shots, chat", "mc", 3, "", HarnessRun::kTurns},
        HarnessRun{"mc, 3 shots, chat in one message", "mc", 3, "", HarnessRun::kOneMessage},
        HarnessRun{"exact, chat", "exact", 0, "", HarnessRun::kTurns},
        HarnessRun{"exact, 2 shots, chat", "exact", 2, "", HarnessRun::kTurns},
        HarnessRun{"winogrande, 2 shots, chat", "winogrande", 2, "", HarnessRun::kTurns},
        HarnessRun{"mmlu, 2 shots, household, chat", "mmlu", 2, "household", HarnessRun::kTurns},
        HarnessRun{"truthfulqa-mc1, chat", "truthfulqa-mc1", 0, "", HarnessRun::kTurns}),
    [](const auto& param) {
      std::string name = param.param.name;
      std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
      return name;
    });

TaskResult evaluated(const std::string& task, const TaskOptions& options = {}) {
  return evaluate_task(lab7m(), Task(task, options), "f32");
}

Json stock(const std::string& file) {
  const auto path = kItems / "stock.json";
  return parse_json(read_file(path), path.string()).at(file);
}

TEST(StocksTasks, HaveItsScores) {
  for (const auto& [kind, file] :
       {std::pair("hellaswag-text=", "hellaswag.txt"), std::pair("mc-binary=", "mc.bin")}) {
    const TaskScore score = evaluated(kind + (kItems / file).string()).scores.at(0);
    const Json expected = stock(file);
    EXPECT_NEAR(score.mean, expected.at("acc").get<double>(), 1e-6) << file;
    if (expected.contains("error")) {
      EXPECT_NEAR(score.error.value(), expected.at("error").get<double>(), 1e-6);
    }
  }
}

// It prints log-likelihoods per token: ours are that many times as large.
TEST(StocksTasks, HaveItsLogLikelihoods) {
  const TaskResult result = evaluated("winogrande-csv=" + (kItems / "winogrande.csv").string());
  const Json expected = stock("winogrande.csv").at("items");
  ASSERT_EQ(expected.size(), 11u);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(result.items[i].choices.at(0), expected[i].at("choice").get<size_t>()) << i;
    // "... and _ broke.": where so little follows, it begins the second option with the logits of
    // another token (docs/guides/tasks.md).
    for (size_t c = 0; c < (i == 9 ? 1u : 2u); ++c) {
      const double tokens =
          result.items[i].log_likelihoods[c] / expected[i].at("scores")[c].get<double>();
      EXPECT_GT(tokens, 0.5);
      EXPECT_NEAR(tokens, std::round(tokens), 5e-3) << i;
    }
  }
}

const std::string kMc = "mc=" + (kOwnItems / "mc.jsonl").string();

TEST(Tasks, DoNotDependOnWhatIsReadTogether) {
  const TaskResult all = evaluated(kMc);
  TaskOptions few;
  for (const int64_t count : {1, 5}) {
    few.limit = count;
    const TaskResult part = evaluated(kMc, few);
    ASSERT_EQ(part.items.size(), static_cast<size_t>(count));
    for (size_t i = 0; i < part.items.size(); ++i) {
      for (size_t c = 0; c < part.items[i].log_likelihoods.size(); ++c) {
        // lab-7m is of floats, which stay rows: batches of fewer than 4 tokens add in another
        // order.
        EXPECT_NEAR(part.items[i].log_likelihoods[c], all.items[i].log_likelihoods[c], 1e-4);
      }
    }
  }
}

TEST(Tasks, HaveTheSameBitsWhereMatricesAreInterleaved) {
  LoadOptions load;
  load.type = "q4_k_m";
  const Model model(kLab7m, load);
  const TaskResult all = evaluate_task(model, Task(kMc));
  TaskOptions few;
  few.limit = 5;
  const TaskResult part = evaluate_task(model, Task(kMc, few));
  for (size_t i = 0; i < part.items.size(); ++i)
    EXPECT_EQ(part.items[i].log_likelihoods, all.items[i].log_likelihoods) << i;
}

TEST(Tasks, AreComparedItemByItem) {
  TaskResult ours, reference;
  ours.items.resize(4);
  reference.items.resize(4);
  const std::vector<std::pair<double, double>> scores = {{1, 1}, {1, 0}, {0, 0}, {0, 0}};
  for (size_t i = 0; i < 4; ++i) {
    ours.items[i].scores = {scores[i].first};
    reference.items[i].scores = {scores[i].second};
    ours.items[i].choices = {i};
    reference.items[i].choices = {i == 2 ? 7 : i};  // wrong in another way
  }
  const auto difference = compare_tasks(ours, reference).at(0);
  EXPECT_EQ(difference.mean, 0.25);
  EXPECT_NEAR(difference.error.value(), 0.25, 1e-12);  // of 0, 1, 0, 0
  EXPECT_EQ(difference.agreement, 0.75);
}

TEST(Tasks, ReportEachGroup) {
  const TaskResult result = evaluated("prompts");
  ASSERT_EQ(result.groups.size(), 4u);
  EXPECT_EQ(result.groups[0].name, "arithmetic");
  EXPECT_EQ(result.groups[0].items, 8);
  EXPECT_EQ(result.scores[0].items, 32);
}

TEST(Tasks, StopWhenTheyAreAsked) {
  const std::atomic<bool> cancelled = true;
  RunOptions run;
  run.cancelled = &cancelled;
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {},
                         [&] { evaluate_task(lab7m(), Task(kMc), "f32", run); }));
}

}  // namespace
}  // namespace nibble
