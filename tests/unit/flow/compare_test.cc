#include "nibble/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nibble/evaluate.h"
#include "nibble/quantize.h"
#include "support/files.h"

namespace nibble {
namespace {

class CompareOfTwoTypes : public testing::Test {
 protected:
  void SetUp() override {
    quantize(kLab7m, {{"q8_0", models_[0]}, {"q4_0", models_[1]}});
    options_.reference = kLab7m;
    options_.text = read_file(repository_path("assets/lab-7m-text/evaluation.txt"));
    options_.text_name = "evaluation.txt";
    options_.context = 64;
    options_.windows = 3;
    options_.layer_windows = 1;
    options_.continued_tokens = 12;
    options_.repetitions = 0;
  }
  Comparison run() { return compare(models_, options_); }

  TemporaryFolder folder_;
  std::vector<std::filesystem::path> models_ = {folder_ / "lab-q8_0.gguf",
                                                folder_ / "lab-q4_0.gguf"};
  CompareOptions options_;
};

TEST_F(CompareOfTwoTypes, MeasuresWhatEvaluateMeasures) {
  const Comparison comparison = run();
  ASSERT_EQ(comparison.models.size(), 2u);
  const ComparedModel& small = comparison.models[0];
  EXPECT_EQ(small.name, "lab-q4_0");
  EXPECT_EQ(small.type, "q4_0");
  EXPECT_EQ(small.bytes, std::filesystem::file_size(models_[1]));
  EvaluateOptions evaluate_options;
  evaluate_options.context = 64;
  evaluate_options.windows = 3;
  evaluate_options.reference = kLab7m;
  const Evaluation expected = evaluate(Model(models_[1]), options_.text, evaluate_options);
  EXPECT_EQ(small.perplexity.value, expected.perplexity.value);
  EXPECT_EQ(small.divergence->kl_divergence.value, expected.divergence->kl_divergence.value);
  EXPECT_EQ(comparison.reference.perplexity.value, expected.divergence->reference_perplexity.value);
  EXPECT_EQ(comparison.scored_tokens, expected.scored_tokens);
  EXPECT_EQ(small.layers.layers.size(), 6u);
  EXPECT_GT(small.divergence->kl_divergence.value,
            comparison.models[1].divergence->kl_divergence.value);
}

TEST_F(CompareOfTwoTypes, ContinuesThePromptsAsFarAsTheReferenceGoes) {
  options_.prompts = {"Once upon a time"};
  const Comparison comparison = run();
  const Continuation& reference = comparison.reference.continuations.at(0);
  EXPECT_EQ(reference.same_tokens, 12);
  EXPECT_EQ(reference.differing, "");
  for (const ComparedModel& model : comparison.models) {
    const Continuation& c = model.continuations.at(0);
    EXPECT_EQ(reference.same.substr(0, c.same.size()), c.same) << model.name;
    EXPECT_EQ(c.differing.empty(), c.same_tokens == 12) << model.name;
  }
}

TEST_F(CompareOfTwoTypes, TakesPromptsFromThreePlacesOfTheText) {
  const Comparison comparison = run();
  ASSERT_EQ(comparison.prompts.size(), 3u);
  for (const std::string& prompt : comparison.prompts)
    EXPECT_NE(options_.text.find(prompt), std::string::npos) << prompt;
  EXPECT_TRUE(options_.text.starts_with(comparison.prompts[0]));
  EXPECT_NE(comparison.prompts[1], comparison.prompts[2]);
}

// Figures that no measurement gives show which ones were taken over.
TEST_F(CompareOfTwoTypes, MeasuresOnlyWhatIsMissing) {
  const auto report = folder_ / "report.html";
  Comparison comparison = run();
  for (ComparedModel& model : comparison.models) model.perplexity.value = 12345;
  write_report(comparison, report);
  options_.earlier = report;
  quantize(kLab7m, {{"q5_0", models_[1]}});  // another file of that name
  const Comparison again = run();
  EXPECT_EQ(again.models[0].type, "q5_0");
  EXPECT_LT(again.models[0].perplexity.value, 1000);
  EXPECT_EQ(again.models[1].perplexity.value, 12345);
  EXPECT_EQ(again.scored_tokens, comparison.scored_tokens);
  options_.windows = 2;  // measured otherwise, nothing can be taken over
  EXPECT_LT(run().models[1].perplexity.value, 1000);
}

TEST_F(CompareOfTwoTypes, GoesOnWhereAFailedCallStopped) {
  options_.earlier = folder_ / "report.json";
  std::vector<size_t> models;
  options_.on_measured = [&](Comparison so_far) {
    models.push_back(so_far.models.size());
    for (ComparedModel& model : so_far.models) model.perplexity.value = 12345;
    write_report(so_far, options_.earlier);
    if (models.size() == 2) throw Error(ErrorCode::kCancelled, "enough");
  };
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {"enough"}, [&] { run(); }));
  EXPECT_EQ(models, (std::vector<size_t>{0, 1}));
  const Comparison comparison = run();
  EXPECT_EQ(models, (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(comparison.models[0].perplexity.value, 12345);
  EXPECT_LT(comparison.models[1].perplexity.value, 1000);
}

TEST_F(CompareOfTwoTypes, MeasuresSpeedWhenAskedFor) {
  EXPECT_FALSE(run().models[0].speed);
  options_.repetitions = 1;
  const Comparison comparison = run();
  ASSERT_TRUE(comparison.models[0].speed && comparison.reference.speed);
  EXPECT_GT(comparison.models[0].speed->generation, 0);
  EXPECT_GT(comparison.models[0].speed->prompt, 0);
}

TEST_F(CompareOfTwoTypes, AsksTasksOfAll) {
  const auto file =
      write_file(folder_ / "mc.jsonl",
                 R"({"context": "Once upon a", "choices": ["time", "zebra"], "answer": 0})"
                 "\n"
                 R"({"context": "the old", "choices": ["qua", "man"], "answer": 1})"
                 "\n");
  options_.tasks = {"mc=" + file.string()};
  const Comparison comparison = run();
  for (const ComparedModel& model : comparison.models) {
    ASSERT_EQ(model.tasks.size(), 1u);
    EXPECT_EQ(model.tasks[0].items, 2);
    EXPECT_EQ(model.tasks[0].mean, comparison.reference.tasks[0].mean);
    EXPECT_EQ(model.tasks[0].agreement, 1);
  }
}

TEST_F(CompareOfTwoTypes, RefusesWhatCannotBe) {
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"report.pdf", ".html"},
                         [&] { check_report_path(folder_ / "report.pdf"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {"nowhere"},
                         [&] { check_report_path(folder_ / "nowhere" / "report.html"); }));
  options_.earlier = write_file(folder_ / "old.html", "<html></html>");
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"old.html"}, [&] { run(); }));
  options_.earlier = folder_ / "missing.html";
  options_.text = "Once";
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"less than one window"}, [&] { run(); }));
  models_.clear();
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"at least one model"}, [&] { run(); }));
}

}  // namespace
}  // namespace nibble
