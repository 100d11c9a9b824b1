// Evaluation beside references: llama-perplexity's figures, and compact references of the bundled
// model.
#include "nibble/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/json.h"
#include "eval/compact_row.h"
#include "eval/score_statistics.h"
#include "eval/windows.h"
#include "flow/model.h"
#include "infer/session.h"
#include "nibble/quantize.h"
#include "support/files.h"

namespace nibble {
namespace {

const auto kLab7m = repository_path("assets/lab-7m");
const auto kText = repository_path("assets/lab-7m-text/evaluation.txt");

// The file with its weights as floats: what is measured then does not depend on how activations are
// rounded, of which every program has its own way.
std::filesystem::path as_f32(const TemporaryFolder& folder, const std::filesystem::path& file) {
  QuantizeOptions options;
  options.allow_requantize = true;
  quantize(file, {{"f32", folder / "f32.gguf"}}, options);
  return folder / "f32.gguf";
}

const Json kGolden = parse_json(read_file(repository_path("tests/golden/evaluate/lab_7m_f32.json")),
                                "lab_7m_f32.json");

class LlamaPerplexity : public testing::TestWithParam<const char*> {};

TEST_P(LlamaPerplexity, GivesTheSameFigures) {
  const auto models = shared_path("models/lab-7m-stock");
  NIBBLE_REQUIRE_SHARED(models);
  const TemporaryFolder folder;
  const Json& expected = kGolden["types"][GetParam()];
  const Model model(as_f32(folder, models / (std::string(GetParam()) + ".gguf")));
  const auto result = evaluate(model, read_file(shared_path("text/eval.txt")),
                               {.context = 256, .windows = 80, .reference = kLab7m});
  const Divergence& divergence = *result.divergence;
  // Half a percent is what the issue of evaluation asks for; a digit more is printed of the
  // divergence than what the stored log-probabilities of the reference are worth.
  EXPECT_NEAR(result.perplexity.value / expected["perplexity"].get<double>(), 1, 1e-5);
  EXPECT_NEAR(divergence.kl_divergence.value, expected["mean_kl_divergence"].get<double>(), 3e-6);
  EXPECT_NEAR(100 * divergence.rms_delta_p.value, expected["rms_dp_percent"].get<double>(), 0.002);
  EXPECT_NEAR(100 * divergence.agreement.value, expected["same_top_percent"].get<double>(), 0.05);
}

INSTANTIATE_TEST_SUITE_P(Types, LlamaPerplexity,
                         testing::Values("Q6_K", "Q4_K_M", "IQ3_S-importance"));

// The quantized files themselves, with activations rounded as llama.cpp does: what its tools gave,
// within half a percent, the divergence also within 5e-5. Where little is lost but to this
// rounding, the root mean square of the change of p is no property of the file to that precision:
// llama.cpp's own moves by 2 % with another type of KV cache (its standard error is 2 %).
struct StockFile {
  const char* name;
  double rms_tolerance = 0.005;
};

class StockFiles : public testing::TestWithParam<StockFile> {};

TEST_P(StockFiles, GetLlamaCppsFiguresWithItsRounding) {
  const std::string name = GetParam().name;
  const auto file = shared_path("models/lab-7m-stock/" + name + ".gguf");
  const auto golden = shared_path("golden/stock_lab7m.json");
  NIBBLE_REQUIRE_SHARED(file);
  NIBBLE_REQUIRE_SHARED(golden);
  std::string key = name;
  std::replace(key.begin(), key.end(), '-', '+');
  const Json expected = parse_json(read_file(golden), golden.string())["types"][key];
  LoadOptions load;
  load.activations = Activations::kLlamaCpp;
  const auto result = evaluate(Model(file, load), read_file(shared_path("text/eval.txt")),
                               {.context = 256, .windows = 80, .reference = kLab7m});
  const Divergence& divergence = *result.divergence;
  const auto ratio = [&](double ours, const char* theirs) {
    return ours / expected[theirs].get<double>();
  };
  const double kl_divergence = expected["mean_kl_divergence"].get<double>();
  EXPECT_NEAR(ratio(result.perplexity.value, "perplexity"), 1, 0.005);
  EXPECT_NEAR(divergence.kl_divergence.value, kl_divergence, std::max(5e-5, 0.005 * kl_divergence));
  EXPECT_NEAR(ratio(100 * divergence.rms_delta_p.value, "rms_dp_percent"), 1,
              GetParam().rms_tolerance);
  EXPECT_NEAR(ratio(100 * divergence.agreement.value, "same_top_percent"), 1, 0.005);
}

INSTANTIATE_TEST_SUITE_P(Types, StockFiles,
                         testing::Values(StockFile{"Q8_0", 0.04}, StockFile{"Q6_K", 0.04},
                                         StockFile{"Q5_K_M"}, StockFile{"Q4_0"},
                                         StockFile{"IQ1_S-importance"}));

// Logits of all scored positions.
std::vector<float> logits_of(const Model& model, const Windows& windows) {
  const Model::Parts& parts = model.parts();
  Session session(parts.config, *parts.weights, *parts.pool, windows.length, DType::kF16);
  std::vector<float> logits;
  WindowVisitor visitor;
  visitor.on_rows = [&](const ScoredRows& rows) {
    logits.insert(logits.end(), rows.logits, rows.row(rows.count()));
  };
  visitor.on_window = [](int64_t) {};
  read_windows(session, parts.weights->vocab_size(), windows, visitor);
  return logits;
}

// Compact references with other seeds, of the same predictions.
class CompactReferences : public testing::TestWithParam<const char*> {};

TEST_P(CompactReferences, HoldTheExactDivergenceInTheirIntervals) {
  constexpr int kRuns = 400;
  LoadOptions load;
  load.type = GetParam();
  const Model reference(kLab7m), model(kLab7m, load);
  const auto tokens = reference.tokenize(read_file(kText));
  const Windows windows = windows_side_by_side(tokens, 64, 8);
  const auto p = logits_of(reference, windows), q = logits_of(model, windows);
  const int64_t vocab_size = reference.parts().weights->vocab_size();
  CompactLayout layout = {.context = 64, .vocab_size = vocab_size, .windows = 8};
  choose_sizes(layout);
  const int64_t positions = static_cast<int64_t>(p.size()) / vocab_size;
  ASSERT_EQ(positions, 8 * 31);
  double exact = 0;
  for (int64_t i = 0; i < positions; ++i) {
    exact += compare_logits(p.data() + i * vocab_size, q.data() + i * vocab_size, vocab_size, 5)
                 .divergence;
  }
  exact /= static_cast<double>(positions);
  int held = 0;
  for (uint64_t run = 0; run < kRuns; ++run) {
    ScoreStatistics statistics(true, true);
    CompactRow row;
    for (int64_t i = 0; i < positions; ++i) {
      std::vector<float> logits(p.begin() + i * vocab_size, p.begin() + (i + 1) * vocab_size);
      fill_compact_row(logits.data(), vocab_size, 5, run * 1000 + static_cast<uint64_t>(i), layout,
                       row);
      statistics.add(compare_compact_row(row, q.data() + i * vocab_size, vocab_size, 5));
    }
    const SamplingInterval interval = *statistics.divergence().kl_sampling;
    EXPECT_LT(interval.least, exact);
    held += interval.low <= exact && exact <= interval.high;
  }
  EXPECT_GE(held, kRuns * 95 / 100);
}

INSTANTIATE_TEST_SUITE_P(Types, CompactReferences, testing::Values("q8_0", "q4_k_m", "q2_k"));

TEST(CompactReference, IsAFiftiethOfTheStockFileAndCloseAtQ4KM) {
  const TemporaryFolder folder;
  const Model reference(kLab7m);
  const auto text = read_file(kText);
  const auto store = [&](const char* name, ReferenceFormat format) {
    evaluate(reference, text,
             {.context = 256,
              .windows = 20,
              .save_reference = folder / name,
              .reference_format = format});
    return static_cast<double>(std::filesystem::file_size(folder / name));
  };
  EXPECT_LE(store("compact", ReferenceFormat::kCompact) * 50,
            store("stock", ReferenceFormat::kStock));
  LoadOptions load;
  load.type = "q4_k_m";
  const auto result =
      evaluate(Model(kLab7m, load), std::nullopt, {.reference = folder / "compact"});
  const double mean = result.divergence->kl_divergence.value;
  const SamplingInterval& interval = *result.divergence->kl_sampling;
  EXPECT_LT(interval.high - mean, 0.02 * mean);  // 2540 positions; 1 % from four times as many on
  EXPECT_LT(mean - interval.low, 0.02 * mean);
}

}  // namespace
}  // namespace nibble
