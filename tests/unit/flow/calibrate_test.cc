// Calibration of the bundled model, and what quantization makes of it.
#include "nibble/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "file/gguf.h"
#include "file/imatrix.h"
#include "file/moments.h"
#include "nibble/error.h"
#include "nibble/evaluate.h"
#include "nibble/quantize.h"
#include "nibble/verify.h"
#include "support/files.h"

namespace nibble {
namespace {

std::string own_text(const char* name) {
  return read_file(repository_path("assets/lab-7m-text") / name);
}

class CalibrateTest : public testing::Test {
 protected:
  Calibration run(const std::string& name, CalibrateOptions options = {}) {
    options.context = 256;
    if (options.chunks == 0) options.chunks = 40;
    return calibrate(model_, {{"a.txt", own_text("calibration.txt")}}, folder_ / name, options, {});
  }
  std::string bytes(const std::string& name) const { return read_file(folder_ / name); }

  // What a file of that type loses, on text that it was not calibrated with.
  double loss(const std::string& type, const QuantizeOptions& options) {
    quantize(kLab7m, {{type, folder_ / "out.gguf"}}, options);
    const Model model(folder_ / "out.gguf");
    const auto result = evaluate(model, own_text("evaluation.txt"),
                                 {.context = 256, .windows = 16, .reference_model = &model_});
    return result.divergence->kl_divergence.value;
  }

  TemporaryFolder folder_;
  const Model model_{kLab7m};
};

TEST_F(CalibrateTest, MeasuresWhatLlamaImatrixMeasures) {
  const auto text = shared_path("text/train_sample.txt");
  NIBBLE_REQUIRE_SHARED(text);
  CalibrateOptions options;
  options.context = 256;
  options.chunks = 400;
  const auto result =
      calibrate(model_, {{"train_sample.txt", read_file(text)}}, folder_ / "my.gguf", options, {});
  EXPECT_EQ(result.tokens, 400 * 256);
  const auto ours = read_imatrix(folder_ / "my.gguf");
  const auto theirs = read_imatrix(repository_path("tests/golden/lab-7m/imatrix.dat"));
  ASSERT_EQ(ours.entries.size(), theirs.entries.size());
  for (const auto& [name, entry] : theirs.entries) {
    const auto expected = entry.means(), found = ours.entries.at(name).means();
    ASSERT_EQ(found.size(), expected.size()) << name;
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(found[i] / expected[i], 1, 1e-3) << name << ", column " << i;
  }
}

// tests/golden/lab-7m/make_importance.py, in double; keys and values are f16 here.
TEST_F(CalibrateTest, MeasuresWhatAReferenceImplementationMeasures) {
  const auto golden = read_file(repository_path("tests/golden/lab-7m/importance.f32"));
  std::vector<float> expected(golden.size() / sizeof(float));
  std::memcpy(expected.data(), golden.data(), golden.size());
  CalibrateOptions options;
  options.context = 128;
  options.chunks = 6;
  calibrate(model_, {{"a.txt", own_text("calibration.txt")}}, folder_ / "my.gguf", options, {});
  const auto matrix = read_imatrix(folder_ / "my.gguf");
  auto at = expected.begin();
  for (int layer = 0; layer < 6; ++layer) {
    for (const char* name : {"attn_q", "attn_output", "ffn_up", "ffn_down"}) {
      const auto tensor = "blk." + std::to_string(layer) + "." + name + ".weight";
      for (const float sum : matrix.entries.at(tensor).sums)
        ASSERT_NEAR(sum / *at++, 1, 1e-3) << tensor;
    }
  }
  EXPECT_EQ(at, expected.end());
}

TEST_F(CalibrateTest, WritesTheSameNumbersInBothLayouts) {
  run("my.gguf");
  run("my.dat");
  const auto gguf = read_imatrix(folder_ / "my.gguf"), dat = read_imatrix(folder_ / "my.dat");
  EXPECT_EQ(gguf.datasets, (std::vector<std::string>{"a.txt"}));
  EXPECT_EQ(gguf.chunks, 40u);
  EXPECT_EQ(gguf.chunk_size, 256u);
  ASSERT_EQ(gguf.entries.size(), 42u);
  for (const auto& [name, entry] : gguf.entries) {
    const auto a = entry.means(), b = dat.entries.at(name).means();
    EXPECT_EQ(entry.counts, (std::vector<float>{40 * 256})) << name;
    for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(b[i] / a[i], 1, 1e-6) << name;
  }
}

TEST_F(CalibrateTest, MomentsHaveTheSquaresOnTheirDiagonal) {
  run("my.gguf", {.process_output = true, .moments = true});
  const auto matrix = read_imatrix(folder_ / "my.gguf");
  const MomentsFile moments(folder_ / "my.gguf");
  ASSERT_EQ(matrix.entries.size(), 43u);
  for (const auto& [name, entry] : matrix.entries) {
    const MomentsFile::Input* input = moments.input_of(name);
    ASSERT_NE(input, nullptr) << name;
    const auto triangle = moments.read(*input, 0);
    for (size_t i = 0; i < entry.sums.size(); ++i)
      ASSERT_NEAR(triangle[i * (i + 3) / 2] / entry.sums[i], 1, 1e-4) << name << ", column " << i;
  }
  EXPECT_EQ(moments.input_of("blk.2.attn_q.weight")->tensor,
            moments.input_of("blk.2.attn_v.weight")->tensor);
}

TEST_F(CalibrateTest, ReadsTheTextsAgainWhereMemoryIsShortAndWritesTheSame) {
  EXPECT_EQ(run("whole.gguf", {.chunks = 6, .moments = true}).passes, 1);
  // A layer's moments take some 4 * (3 * 256^2 + 768^2) bytes: two layers fit.
  EXPECT_EQ(run("parts.gguf", {.chunks = 6, .moments = true, .memory_limit = 7 << 20}).passes, 3);
  EXPECT_EQ(bytes("whole.gguf"), bytes("parts.gguf"));
}

// What a layer multiplies once the layers before it are quantized: the file that is made with these
// statistics says the same of itself.
TEST_F(CalibrateTest, OneLayerAfterAnotherMeasuresWhatTheQuantizedModelMultiplies) {
  run("before.gguf");
  const auto result = run("sequential.gguf", {.moments = true, .sequential = "q2_k"});
  EXPECT_EQ(result.passes, 6);
  run("after.gguf");
  EXPECT_EQ(bytes("after.gguf"), bytes("before.gguf"));  // the model has its own weights again

  QuantizeOptions options;
  options.imatrix = folder_ / "sequential.gguf";
  options.token_embedding_type = "f16";
  quantize(kLab7m, {{"q2_k", folder_ / "q2_k.gguf"}}, options);
  const Model quantized(folder_ / "q2_k.gguf");
  calibrate(quantized, {{"a.txt", own_text("calibration.txt")}}, folder_ / "of_q2_k.gguf",
            {.context = 256, .chunks = 40}, {});
  const auto sequential = read_imatrix(folder_ / "sequential.gguf");
  const auto expected = read_imatrix(folder_ / "of_q2_k.gguf");
  const auto plain = read_imatrix(folder_ / "before.gguf");
  const auto distance = [&](const ImportanceMatrix& a, const ImportanceMatrix& b) {
    double sum = 0;
    const auto x = a.entries.at("blk.5.attn_q.weight").means(),
               y = b.entries.at("blk.5.attn_q.weight").means();
    for (size_t i = 0; i < x.size(); ++i) sum += std::fabs(x[i] / y[i] - 1);
    return sum / static_cast<double>(x.size());
  };
  EXPECT_LT(distance(sequential, expected), 2e-3);
  EXPECT_GT(distance(plain, expected), 4e-3);
}

TEST_F(CalibrateTest, SequentialTakesMomentsAndOneGo) {
  EXPECT_THROW(run("a.gguf", {.sequential = "q2_k"}), Error);
  EXPECT_THROW(run("a.gguf", {.moments = true, .sequential = "q2_k", .resume = true}), Error);
  EXPECT_THROW(run("a.gguf", {.moments = true, .sequential = "q9"}), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.gguf"));
}

TEST_F(CalibrateTest, TakesSeveralTexts) {
  CalibrateOptions options;
  options.context = 256;
  const auto text = own_text("calibration.txt").substr(0, 20000);
  const auto once = calibrate(model_, {{"a", text}}, folder_ / "a.gguf", options, {});
  const auto twice = calibrate(model_, {{"a", text}, {"b", text}}, folder_ / "b.gguf", options, {});
  EXPECT_EQ(twice.chunks, 2 * once.chunks);
  const auto a = read_imatrix(folder_ / "a.gguf"), b = read_imatrix(folder_ / "b.gguf");
  EXPECT_EQ(b.datasets, (std::vector<std::string>{"a", "b"}));
  const auto mean_a = a.entries.at("blk.1.ffn_down.weight").means();
  const auto mean_b = b.entries.at("blk.1.ffn_down.weight").means();
  for (size_t i = 0; i < mean_a.size(); ++i) ASSERT_NEAR(mean_b[i] / mean_a[i], 1, 1e-5);
}

TEST_F(CalibrateTest, RefusesWhatMakesNoSense) {
  const auto refused = [&](ErrorCode code, const std::vector<std::string>& fragments,
                           const std::string& text, const CalibrateOptions& options,
                           const char* name) {
    return fails_with(code, fragments, [&] {
      calibrate(model_, {{"a.txt", text}}, folder_ / name, options, {});
    });
  };
  EXPECT_TRUE(
      refused(ErrorCode::kUsage, {"a.txt", "less than one window of 512"}, "short", {}, "my.gguf"));
  EXPECT_TRUE(
      refused(ErrorCode::kUsage, {"a.txt", "1 tokens", "less than one window"}, "", {}, "my.gguf"));
  EXPECT_TRUE(refused(ErrorCode::kUsage, {"my.dat", "second moments", ".gguf"}, "short",
                      {.moments = true}, "my.dat"));
  EXPECT_TRUE(refused(ErrorCode::kUsage, {"context of 1"}, "short", {.context = 1}, "my.gguf"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(CalibrateTest, FeedbackLosesLessThanWeightsAndTheseLessThanNeither) {
  run("my.gguf", {.chunks = 120, .process_output = true, .moments = true});
  for (const char* type : {"q2_k", "q4_0"}) {
    QuantizeOptions options;
    const double nearest = loss(type, options);
    options.imatrix = folder_ / "my.gguf";
    options.method = Method::kWeighted;
    const double weighted = loss(type, options);
    options.method = Method::kAuto;
    const double feedback = loss(type, options);
    EXPECT_LT(weighted, nearest) << type;
    EXPECT_LT(feedback, 0.85 * weighted) << type;
  }
}

TEST_F(CalibrateTest, AFileMadeWithFeedbackIsMadeAgainToTheByte) {
  run("my.gguf", {.moments = true});
  QuantizeOptions options;
  options.imatrix = folder_ / "my.gguf";
  options.run.threads = 1;
  const auto made = quantize(kLab7m, {{"q3_k_m", folder_ / "one.gguf"}}, options);
  EXPECT_EQ(made.method, Method::kGptq);
  EXPECT_EQ(made.feedback_tensors, 42u);
  options.run.threads = 3;
  quantize(kLab7m, {{"q3_k_m", folder_ / "three.gguf"}}, options);
  EXPECT_EQ(bytes("one.gguf"), bytes("three.gguf"));
  VerifyOptions verification;
  verification.imatrix = folder_ / "my.gguf";
  const auto verified = verify(folder_ / "one.gguf", kLab7m, verification);
  EXPECT_TRUE(verified.problems.empty());
  EXPECT_EQ(verified.bytes_compared, verified.bytes);
}

TEST_F(CalibrateTest, MomentsThatAreOfNoUseAreNamedAndImportanceStandsInForThem) {
  run("my.gguf", {.moments = true});
  std::string spoiled = bytes("my.gguf");
  {
    const GgufFile file(folder_ / "my.gguf");
    const auto begin = reinterpret_cast<const char*>(file.files().front()->map().data());
    for (size_t i = 0; i < file.tensors().size(); ++i) {
      if (file.tensors()[i].name != moments_name("blk.2.ffn_down.weight")) continue;
      const auto at = reinterpret_cast<const char*>(file.view(i).data()) - begin;
      std::fill_n(spoiled.begin() + at, file.tensors()[i].bytes(), char{0});
    }
  }
  write_file(folder_ / "spoiled.gguf", spoiled);
  QuantizeOptions options;
  options.imatrix = folder_ / "my.gguf";
  EXPECT_TRUE(quantize(kLab7m, {{"q4_0", folder_ / "a.gguf"}}, options).unusable_moments.empty());
  options.imatrix = folder_ / "spoiled.gguf";
  const auto made = quantize(kLab7m, {{"q4_0", folder_ / "b.gguf"}}, options);
  EXPECT_EQ(made.unusable_moments, std::vector<std::string>{"blk.2.ffn_down.weight"});
  options.method = Method::kWeighted;
  quantize(kLab7m, {{"q4_0", folder_ / "c.gguf"}}, options);
  const GgufFile a(folder_ / "a.gguf"), b(folder_ / "b.gguf"), c(folder_ / "c.gguf");
  const auto rows = [](const GgufFile& file, const std::string& name) {
    const auto found = std::ranges::find(file.tensors(), name, &TensorInfo::name);
    const auto view = file.view(static_cast<size_t>(found - file.tensors().begin()));
    return std::vector<std::byte>(view.begin(), view.end());
  };
  EXPECT_EQ(rows(b, "blk.2.ffn_down.weight"), rows(c, "blk.2.ffn_down.weight"));
  EXPECT_EQ(rows(b, "blk.2.ffn_up.weight"), rows(a, "blk.2.ffn_up.weight"));
  EXPECT_NE(rows(a, "blk.2.ffn_down.weight"), rows(c, "blk.2.ffn_down.weight"));
}

TEST_F(CalibrateTest, AMethodNeedsWhatItTakes) {
  run("my.gguf");
  const auto refused = [&](const std::filesystem::path& imatrix, Method method,
                           const std::vector<std::string>& what) {
    QuantizeOptions options;
    options.imatrix = imatrix;
    options.method = method;
    return fails_with(ErrorCode::kUsage, what, [&] {
      quantize(kLab7m, {{"q4_0", folder_ / "out.gguf"}}, options);
    });
  };
  EXPECT_TRUE(refused("", Method::kWeighted, {"weighted", "--imatrix"}));
  EXPECT_TRUE(refused("", Method::kGptq, {"gptq", "nibble calibrate --moments"}));
  EXPECT_TRUE(refused(folder_ / "my.gguf", Method::kGptq, {"my.gguf", "has none"}));
  QuantizeOptions nearest;
  nearest.imatrix = folder_ / "my.gguf";
  nearest.method = Method::kNearest;
  EXPECT_EQ(quantize(kLab7m, {{"q4_0", folder_ / "out.gguf"}}, nearest).importance_tensors, 0u);
}

}  // namespace
}  // namespace nibble
