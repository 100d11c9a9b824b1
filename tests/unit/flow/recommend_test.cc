#include "nibble/recommend.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flow/expected_loss.h"
#include "flow/gpu_layers.h"
#include "flow/recommend_choice.h"
#include "model/config.h"
#include "nibble/quantize.h"
#include "support/files.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

// Without measuring, which takes seconds.
RecommendOptions options_with(std::vector<std::string> types = {}) {
  RecommendOptions options;
  options.ram = uint64_t{1} << 30;
  options.types = std::move(types);
  options.measure = false;
  options.run.threads = 1;
  return options;
}

const std::vector<std::string> kTypes = {"f16", "q8_0", "q6_k", "q4_k_m", "q4_0", "iq4_xs", "q2_k"};

std::vector<uint64_t> predicted_bytes(const fs::path& model) {
  std::vector<uint64_t> bytes;
  const auto report = recommend(model, options_with(kTypes));
  for (const std::string& type : kTypes) {
    const auto candidate = std::ranges::find(report.candidates, type, &RecommendCandidate::type);
    bytes.push_back(candidate->file_bytes);
  }
  return bytes;
}

std::vector<uint64_t> written_bytes(const fs::path& model, const fs::path& folder) {
  std::vector<QuantizeTarget> targets;
  for (const std::string& type : kTypes) targets.push_back({type, folder / (type + ".gguf")});
  quantize(model, targets);
  std::vector<uint64_t> bytes;
  for (const QuantizeTarget& target : targets) bytes.push_back(fs::file_size(target.path));
  return bytes;
}

TEST(RecommendedSizes, AreThoseOfTheFilesToTheByte) {
  const TemporaryFolder folder;
  EXPECT_EQ(predicted_bytes(kLab7m), written_bytes(kLab7m, folder.path()));
  // From the GGUF, too.
  const auto f16 = folder / "f16.gguf";
  const TemporaryFolder again;
  EXPECT_EQ(predicted_bytes(f16), written_bytes(f16, again.path()));
}

TEST(RecommendedSizes, OfAConfigWithItsTokenizerAreThoseOfTheFiles) {
  const TemporaryFolder folder;
  const auto model = folder / "lab-7m";  // its name stands in the files
  fs::create_directory(model);
  for (const auto& file : fs::directory_iterator(kLab7m)) {
    if (file.path().extension() != ".safetensors")
      fs::copy_file(file, model / file.path().filename().string());
  }
  const auto expected = written_bytes(kLab7m, folder.path());
  EXPECT_EQ(predicted_bytes(model), expected);
  EXPECT_EQ(predicted_bytes(model / "config.json"), expected);
}

TEST(RecommendedSizes, OfAConfigAloneLackTheTokenizerOnly) {
  const TemporaryFolder folder;
  fs::copy_file(kLab7m / "config.json", folder / "config.json");
  const auto report = recommend(folder / "config.json", options_with({"q8_0"}));
  const auto whole = recommend(kLab7m, options_with({"q8_0"}));
  const uint64_t tokenizer = whole.candidates[0].file_bytes - report.candidates[0].file_bytes;
  EXPECT_GT(tokenizer, 4096u * 16);
  EXPECT_LT(tokenizer, 4096u * 64);
  EXPECT_EQ(report.candidates[0].bits_per_weight, whole.candidates[0].bits_per_weight);
  ASSERT_EQ(report.notes.size(), 2u);
  EXPECT_NE(report.notes[1].find("tokenizer"), std::string::npos);
  EXPECT_NE(report.commands[0].find(folder.path().string()), std::string::npos);
}

TEST(Recommend, TriesEveryTypeWithEveryCache) {
  const auto report = recommend(kLab7m, options_with());
  EXPECT_EQ(report.candidates.size(), 28u * 4);
  EXPECT_TRUE(std::ranges::is_sorted(report.candidates, std::ranges::greater(),
                                     &RecommendCandidate::file_bytes));
  EXPECT_EQ(report.candidates[0].type, "f16");
  EXPECT_EQ(report.candidates[0].kv_type, "f16");
  EXPECT_EQ(report.candidates[3].kv_type, "q4_0");
  EXPECT_GT(report.candidates[0].memory.kv_cache, 3 * report.candidates[3].memory.kv_cache);
  for (const auto& candidate : report.candidates) {
    EXPECT_TRUE(candidate.fits && !candidate.speed) << candidate.type;
    EXPECT_NE(candidate.loss.source.find("estimate from llama.cpp"), std::string::npos);
  }
  EXPECT_EQ(report.context, 512);
  EXPECT_EQ(report.layers, 6);
  EXPECT_EQ(report.weights, 6819072u);
}

TEST(Recommend, TakesAQuantizedFileAsItIs) {
  const TemporaryFolder folder;
  const auto file = folder / "lab.gguf";
  quantize(kLab7m, {{"q4_k_m", file}});
  const auto report = recommend(file, options_with());
  ASSERT_EQ(report.candidates.size(), 4u);
  EXPECT_EQ(report.candidates[0].type, "copy");
  EXPECT_EQ(report.candidates[0].file_bytes, fs::file_size(file));
  EXPECT_NEAR(report.candidates[0].loss.kl, 0.0313, 1e-4);  // by general.file_type
  ASSERT_EQ(report.commands.size(), 1u);
  EXPECT_TRUE(report.commands[0].starts_with("nibble run " + file.string())) << report.commands[0];
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"quantized already", "original"},
                         [&] { recommend(file, options_with({"q2_k"})); }));
}

TEST(Recommend, SaysWhatTheSmallestNeedsWhenNothingFits) {
  RecommendOptions options = options_with({"q8_0", "q2_k"});
  options.ram = 1 << 20;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"nothing fits", "1.00 MiB", "512 tokens", "q2_k"},
                         [&] { recommend(kLab7m, options); }));
}

TEST(Recommend, RefusesWhatMakesNoSense) {
  const auto refuses = [](const auto& change, const std::vector<std::string>& fragments) {
    RecommendOptions options = options_with();
    change(options);
    return fails_with(ErrorCode::kUsage, fragments, [&] { recommend(kLab7m, options); });
  };
  EXPECT_TRUE(refuses([](auto& o) { o.use = "poetry"; }, {"poetry", "code, chat, creative"}));
  EXPECT_TRUE(refuses([](auto& o) { o.context = 513; }, {"513", "trained for 512"}));
  EXPECT_TRUE(refuses([](auto& o) { o.context = -1; }, {"-1"}));
  EXPECT_TRUE(refuses([](auto& o) { o.types = {"q9"}; }, {"q9"}));
  EXPECT_TRUE(refuses([](auto& o) { o.max_loss = -1; }, {"below 0"}));
  EXPECT_TRUE(refuses([](auto& o) { o.min_speed = 1; }, {"measured"}));
  const TemporaryFolder folder;
  write_file(folder / "config.json", R"({"architectures": ["MambaForCausalLM"]})");
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported, {"MambaForCausalLM", "llama"},
                         [&] { recommend(folder / "config.json", options_with()); }));
  write_file(folder / "config.json", "{");
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"config.json"},
                         [&] { recommend(folder.path(), options_with()); }));
}

// Candidates by hand, from large to small.
class ChoiceTest : public testing::Test {
 protected:
  ChoiceTest() {
    report_.model = "models/llama";
    report_.context = 4096;
    report_.ram = 8'000'000'000;
    report_.max_loss = 0.035;
    add("q8_0", 9e9, 10, 0.001);
    add("q5_k_m", 7e9, 19.5, 0.011);
    add("q4_k_m", 6e9, 20, 0.031);
    add("q2_k", 4e9, 30, 0.4);
  }

  void add(const std::string& type, double memory, double speed, double kl) {
    RecommendCandidate candidate;
    candidate.type = type;
    candidate.kv_type = "f16";
    candidate.memory.peak = candidate.file_bytes = static_cast<uint64_t>(memory);
    candidate.speed = {.generation = speed, .generation_at_full_context = speed};
    candidate.loss.kl = kl;
    candidate.fits = candidate.memory.peak <= report_.ram;
    report_.candidates.push_back(candidate);
  }
  std::string chosen() {
    choose(options_, report_);
    return report_.candidates[report_.best].type;
  }

  Recommendation report_;
  RecommendOptions options_;
};

TEST_F(ChoiceTest, TakesTheBetterOfNearlyEquallyFastOnes) {
  EXPECT_EQ(chosen(), "q5_k_m");
  EXPECT_NE(report_.reason.find("19.5 t/s after 4096 tokens"), std::string::npos) << report_.reason;
  report_.candidates[1].speed->generation_at_full_context = 18.9;
  EXPECT_EQ(chosen(), "q4_k_m");
}

TEST_F(ChoiceTest, TakesMoreLossWhereItIsPutUpWith) {
  report_.max_loss = 0.5;
  EXPECT_EQ(chosen(), "q2_k");
}

TEST_F(ChoiceTest, TakesTheLeastLossWhenAllLoseTooMuch) {
  report_.max_loss = 0.001;
  EXPECT_EQ(chosen(), "q5_k_m");  // q8_0 does not fit
  EXPECT_TRUE(report_.reason.starts_with("Nothing that fits in memory is expected to lose at most"))
      << report_.reason;
}

TEST_F(ChoiceTest, KeepsTheLeastSpeed) {
  options_.min_speed = 25;
  EXPECT_EQ(chosen(), "q2_k");
  options_.min_speed = 35;
  EXPECT_EQ(chosen(), "q2_k");
  EXPECT_NE(report_.reason.find("makes 35 t/s"), std::string::npos) << report_.reason;
}

TEST_F(ChoiceTest, TakesTheSmallestOfUnknownSpeeds) {
  for (auto& candidate : report_.candidates) candidate.speed.reset();
  EXPECT_EQ(chosen(), "q4_k_m");
  EXPECT_NE(report_.reason.find("smallest"), std::string::npos) << report_.reason;
}

TEST_F(ChoiceTest, TakesAGpuWhereNothingElseFits) {
  for (auto& candidate : report_.candidates) candidate.fits = false;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"q2_k", "3.73 GiB"},
                         [&] { check_that_something_fits(report_); }));
  report_.candidates[1].fits_with_gpu = true;
  report_.candidates[1].gpu_layers = 20;
  check_that_something_fits(report_);
  EXPECT_EQ(chosen(), "q5_k_m");
  EXPECT_EQ(commands_for(report_, true).back(), "llama-cli -m llama-q5_k_m.gguf -ngl 20 -c 4096");
}

TEST_F(ChoiceTest, SaysWhatToRunNext) {
  report_.candidates[1].kv_type = "q8_0";
  report_.candidates[1].wants_importance = true;
  chosen();
  EXPECT_EQ(
      commands_for(report_, true),
      (std::vector<std::string>{
          "nibble quantize models/llama -t q5_k_m --imatrix imatrix.gguf -o llama-q5_k_m.gguf",
          "nibble evaluate llama-q5_k_m.gguf -f text.txt --reference models/llama",
          "nibble run llama-q5_k_m.gguf --context 4096 --kv q8_0 -p \"Hello\""}));
  report_.model = "my models/it's.gguf";
  EXPECT_TRUE(commands_for(report_, false)[0].starts_with(
      "nibble quantize 'my models/it'\\''s.gguf' -t q5_k_m"));
}

TEST(ExpectedLoss, IsThePublishedOneOrBetweenThem) {
  EXPECT_EQ(expected_type_loss("q4_k_m", 4.9).loss.kl, 0.031273);
  EXPECT_FALSE(expected_type_loss("q4_k_m", 4.9).wants_importance);
  EXPECT_EQ(expected_type_loss("iq2_m", 2.9).loss.kl, 0.325989);
  EXPECT_TRUE(expected_type_loss("iq2_m", 2.9).wants_importance);
  double last = 0;
  for (double bits = 33; bits > 0.5; bits -= 0.25) {
    const TypeLoss loss = expected_type_loss("mine.recipe", bits);
    EXPECT_GE(loss.loss.kl, last) << bits;
    EXPECT_TRUE(loss.loss.source.starts_with("estimate by bits per weight")) << loss.loss.source;
    last = loss.loss.kl;
  }
  EXPECT_GT(last, 2);
  EXPECT_NEAR(expected_type_loss("", 4.89).loss.kl, 0.031273, 1e-6);
}

TEST(ExpectedLoss, HasAFigureForEveryCacheThatIsTried) {
  double last = -1;
  for (const std::string_view name : kRecommendedKvTypes) {
    const auto slash = name.find('/');
    const DType key = *dtype_from_name(name.substr(0, slash));
    const DType value =
        slash == std::string_view::npos ? key : *dtype_from_name(name.substr(slash + 1));
    const double kl = expected_kv_loss({key, value}).kl;
    EXPECT_GT(kl, last) << name;
    last = kl;
  }
}

// Layers of 100 bytes with 10 of keys and values, an output of 50, logits of 512 x 1 floats.
TEST(GpuSplit, PutsTheLastLayersThereAndTheOutputAtTheEnd) {
  ModelConfig config;
  config.layers = 3;
  std::vector<TensorInfo> tensors = {
      {"token_embd.weight", *dtype_from_name("f16"), {{25, 1, 1, 1}, 2}},
      {"output.weight", *dtype_from_name("f16"), {{25, 1, 1, 1}, 2}}};
  for (int i = 0; i < 3; ++i) {
    tensors.push_back({"blk." + std::to_string(i) + ".ffn_up.weight",
                       *dtype_from_name("f16"),
                       {{50, 1, 1, 1}, 2}});
  }
  const auto split = [&](uint64_t room) { return split_for_gpu(config, tensors, 2048 + room, 30); };
  EXPECT_EQ(split(109).layers, 0);
  EXPECT_EQ(split(110).layers, 1);
  EXPECT_EQ(split(110).bytes, 110u);
  EXPECT_EQ(split(379).layers, 3);
  EXPECT_EQ(split(380).layers, 4);
  EXPECT_EQ(split(380).bytes, 380u);
  EXPECT_EQ(split_for_gpu(config, tensors, 100, 30).layers, 0);
}

}  // namespace
}  // namespace nibble
