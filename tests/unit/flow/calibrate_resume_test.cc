// Calibration that was interrupted goes on to the same bytes; statistics that new ones are added
// to; sets of texts and chats.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "calib/checkpoint.h"
#include "file/imatrix.h"
#include "file/moments.h"
#include "nibble/calibrate.h"
#include "nibble/quantize.h"
#include "support/files.h"

namespace nibble {
namespace {

std::string own_text() {
  return read_file(repository_path("assets/lab-7m-text/calibration.txt")).substr(0, 30000);
}

class CalibrateResumeTest : public testing::Test {
 protected:
  static CalibrateOptions small(bool moments = false) {
    CalibrateOptions options;
    options.context = 128;
    options.chunks = 5;
    options.moments = moments;
    options.memory_limit = 7 << 20;  // two of six layers
    return options;
  }
  Calibration run(const std::string& name, const CalibrateOptions& options,
                  const std::string& text = own_text()) {
    return calibrate(model_, {{"a.txt", text}}, folder_ / name, options, {});
  }
  // Reads one chunk, then it is cancelled.
  void interrupt(const std::string& name, const CalibrateOptions& options,
                 const std::vector<std::string>& fragments) {
    const std::atomic<bool> cancelled{true};
    RunOptions run;
    run.cancelled = &cancelled;
    EXPECT_TRUE(fails_with(ErrorCode::kCancelled, fragments, [&] {
      calibrate(model_, {{"a.txt", own_text()}}, folder_ / name, options, run);
    }));
  }
  testing::AssertionResult is_refused(ErrorCode code, const std::string& name,
                                      CalibrateOptions options,
                                      const std::vector<std::string>& fragments,
                                      const std::string& text = own_text()) {
    options.resume = true;
    return fails_with(code, fragments, [&] { run(name, options, text); });
  }
  std::string bytes(const std::string& name) const { return read_file(folder_ / name); }

  TemporaryFolder folder_;
  const Model model_{kLab7m};
};

TEST_F(CalibrateResumeTest, GoesOnFromEveryChunkToTheSameBytes) {
  for (const bool moments : {false, true}) {
    CalibrateOptions options = small(moments);
    EXPECT_EQ(run("whole.gguf", options).passes, moments ? 3 : 1);
    const int chunks = moments ? 15 : 5;
    options.resume = true;
    for (int done = 1; done <= chunks; ++done) {
      interrupt("part.gguf", options,
                {std::to_string(done) + " of " + std::to_string(chunks), "--resume"});
      EXPECT_TRUE(has_checkpoint(folder_ / "part.gguf"));
      EXPECT_FALSE(std::filesystem::exists(folder_ / "part.gguf"));
    }
    EXPECT_EQ(run("part.gguf", options).tokens_resumed, chunks * 128);
    EXPECT_TRUE(bytes("part.gguf") == bytes("whole.gguf"));
    EXPECT_EQ(folder_.count_files(), 2u);
    std::filesystem::remove(folder_ / "part.gguf");
  }
}

TEST_F(CalibrateResumeTest, ADatGoesOnToo) {
  CalibrateOptions options = small();
  run("whole.dat", options);
  interrupt("part.dat", options, {"1 of 5"});
  options.resume = true;
  EXPECT_EQ(run("part.dat", options).tokens_resumed, 128);
  EXPECT_TRUE(bytes("part.dat") == bytes("whole.dat"));
}

TEST_F(CalibrateResumeTest, WithoutResumeItBeginsAnew) {
  interrupt("part.gguf", small(), {"1 of 5"});
  EXPECT_EQ(run("part.gguf", small()).tokens_resumed, 0);
  EXPECT_EQ(folder_.count_files(), 1u);
  CalibrateOptions resume = small();
  resume.resume = true;  // nothing to go on from: it just runs
  EXPECT_EQ(run("part.gguf", resume).tokens_resumed, 0);
}

TEST_F(CalibrateResumeTest, WithoutCheckpointsNothingStays) {
  CalibrateOptions options = small();
  options.checkpoint_seconds = 0;
  interrupt("part.gguf", options, {"1 of 5"});
  EXPECT_EQ(folder_.count_files(), 0u);
}

TEST_F(CalibrateResumeTest, OtherWorkIsRefusedAndWhatDiffersIsSaid) {
  interrupt("part.gguf", small(), {"1 of 5"});
  const auto left = bytes("part.gguf.checkpoint");
  const auto refused = [&](const CalibrateOptions& options, const std::string& difference,
                           const std::string& text = own_text()) {
    return is_refused(ErrorCode::kUsage, "part.gguf", options, {"part.gguf", difference}, text);
  };
  CalibrateOptions options = small();
  options.context = 64;
  EXPECT_TRUE(refused(options, "context: 64"));
  options = small();
  options.chunks = 4;
  EXPECT_TRUE(refused(options, "chunks: 4"));
  options = small();
  options.process_output = true;
  EXPECT_TRUE(refused(options, "output matrix: true"));
  EXPECT_TRUE(refused(small(true), "moments: true"));
  EXPECT_TRUE(refused(small(), "text 1: a.txt", own_text() + "More."));
  LoadOptions in_memory;
  in_memory.type = "q8_0";
  const Model other(kLab7m, in_memory);
  options = small();
  options.resume = true;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"types: "}, [&] {
    calibrate(other, {{"a.txt", own_text()}}, folder_ / "part.gguf", options, {});
  }));
  quantize(kLab7m, {{"q8_0", folder_ / "q8_0.gguf"}});
  const Model file(folder_ / "q8_0.gguf");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"model: "}, [&] {
    calibrate(file, {{"a.txt", own_text()}}, folder_ / "part.gguf", options, {});
  }));
  EXPECT_TRUE(bytes("part.gguf.checkpoint") == left);
}

TEST_F(CalibrateResumeTest, ADamagedCheckpointIsRefused) {
  interrupt("part.gguf", small(), {"1 of 5"});
  std::string damaged = bytes("part.gguf.checkpoint");
  damaged[damaged.size() / 2] ^= 1;
  write_file(folder_ / "part.gguf.checkpoint", damaged);
  EXPECT_TRUE(is_refused(ErrorCode::kInvalidFile, "part.gguf", small(),
                         {"part.gguf.checkpoint", "damaged", "--resume"}));
}

TEST_F(CalibrateResumeTest, MomentsOfPassesThatAreDoneMustBeThere) {
  CalibrateOptions options = small(true);
  options.resume = true;
  for (int i = 0; i < 6; ++i) interrupt("part.gguf", options, {"of 15"});
  std::filesystem::resize_file(folder_ / "part.gguf.part", 1000);
  EXPECT_TRUE(is_refused(ErrorCode::kUsage, "part.gguf", options, {"part.gguf.part", "--resume"}));
  EXPECT_EQ(std::filesystem::file_size(folder_ / "part.gguf.part"), 1000u);
}

TEST_F(CalibrateResumeTest, AddsToFilesAsIfAllHadBeenReadAtOnce) {
  const std::string one = own_text().substr(0, 6000), two = own_text().substr(15000, 6000);
  CalibrateOptions options;
  options.context = 128;
  options.moments = true;
  calibrate(model_, {{"1", one}, {"2", two}}, folder_ / "both.gguf", options, {});
  calibrate(model_, {{"1", one}}, folder_ / "one.gguf", options, {});
  options.added = {folder_ / "one.gguf"};
  calibrate(model_, {{"2", two}}, folder_ / "added.gguf", options, {});
  const auto both = read_imatrix(folder_ / "both.gguf"),
             added = read_imatrix(folder_ / "added.gguf");
  EXPECT_EQ(added.datasets, both.datasets);
  EXPECT_EQ(added.chunks, both.chunks);
  const MomentsFile of_both(folder_ / "both.gguf"), of_added(folder_ / "added.gguf");
  for (const auto& [name, entry] : both.entries) {
    const ImportanceEntry& other = added.entries.at(name);
    EXPECT_EQ(other.counts, entry.counts);
    for (size_t i = 0; i < entry.sums.size(); ++i)
      ASSERT_NEAR(other.sums[i] / entry.sums[i], 1, 3e-7) << name;  // one more rounding
    const auto expected = of_both.read(*of_both.input_of(name), 0);
    const auto found = of_added.read(*of_added.input_of(name), 0);
    double worst = 0;  // relative to what a pair of columns could have at most
    for (size_t row = 0, i = 0; row < entry.sums.size(); ++row) {
      for (size_t column = 0; column <= row; ++column, ++i) {
        const double most = std::sqrt(static_cast<double>(entry.sums[row]) * entry.sums[column]);
        worst = std::max(worst, std::abs(static_cast<double>(found[i]) - expected[i]) / most);
      }
    }
    EXPECT_LT(worst, 3e-7) << name;
  }
}

TEST_F(CalibrateResumeTest, WhatIsAddedToMustBeOfTheModel) {
  CalibrateOptions options = small();
  run("plain.gguf", options);
  options.added = {folder_ / "plain.gguf"};
  options.moments = true;
  EXPECT_TRUE(is_refused(ErrorCode::kUsage, "out.gguf", options,
                         {"plain.gguf", "no second moments", "blk.0.attn_q.weight"}));
  options.moments = false;
  options.added = {shared_path("missing.gguf")};
  EXPECT_TRUE(is_refused(ErrorCode::kNotFound, "out.gguf", options, {"missing.gguf"}));
  std::string wrong = bytes("plain.gguf");
  wrong.replace(wrong.find("blk.0.attn_q"), 12, "blk.9.attn_q");
  wrong.replace(wrong.find("blk.0.attn_q"), 12, "blk.9.attn_q");
  options.added = {write_file(folder_ / "wrong.gguf", wrong)};
  EXPECT_TRUE(is_refused(ErrorCode::kInvalidFile, "out.gguf", options,
                         {"blk.9.attn_q.weight", "wrong.gguf", "nothing of that layer"}));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.gguf"));
}

class CalibrationSetTest : public CalibrateResumeTest {
 protected:
  CalibrationSetTest() {
    std::filesystem::create_directory(folder_ / "chat");
    for (const auto& file : std::filesystem::directory_iterator(kLab7m))
      std::filesystem::create_symlink(file, folder_ / "chat" / file.path().filename());
    std::filesystem::copy(repository_path("tests/golden/tasks/chat_template.jinja"),
                          folder_ / "chat/chat_template.jinja");
  }
  // What the texts' first chunk of 64 tokens gives, as bytes.
  std::string measured(const Model& model, const CalibrationText& text,
                       bool parse_special = false) {
    CalibrateOptions options;
    options.context = 64;
    options.chunks = 1;
    options.parse_special = parse_special;
    calibrate(model, {text}, folder_ / "out.gguf", options, {});
    return bytes("out.gguf");
  }
};

TEST_F(CalibrationSetTest, LinesOfTextAreTextsOneAfterAnother) {
  const std::string words(400, 'a');
  const auto expected = measured(model_, {"set", "He said:\n" + words});
  EXPECT_TRUE(measured(model_, {"set", R"({"text": "He said:\n)" + words + "\"}\n\n", true}) ==
              expected);
  // Each begins as texts do, with BOS.
  const auto two = measured(model_, {"set", "A" + std::string("<s>") + "B" + words}, true);
  EXPECT_FALSE(measured(model_, {"set", "AB" + words}) == two);
}

TEST_F(CalibrationSetTest, ChatsAreRenderedByTheModelsTemplate) {
  const Model chat(folder_ / "chat");
  // The template writes BOS itself; a text's is added.
  const std::string rendered =
      "[Be brief.]\nUser: Hello\nAnswer: " + std::string(400, 'a') + "</s>\n";
  const auto expected = measured(chat, {"set", rendered}, true);
  const std::string answer =
      R"({"role": "assistant", "content": ")" + std::string(400, 'a') + "\"}";
  const std::string system = R"({"role": "system", "content": "Be brief."})";
  const std::string user = R"({"role": "user", "content": "Hello"})";
  const std::string messages = "{\"messages\": [" + system + "," + user + "," + answer + "]}";
  EXPECT_TRUE(measured(chat, {"set", messages, true}) == expected);
  const std::string lists =
      R"({"prompt": [)" + system + "," + user + R"(], "completion": [)" + answer + "]}";
  EXPECT_TRUE(measured(chat, {"set", lists, true}) == expected);

  const auto plain =
      measured(chat, {"set", "User: Hello\nAnswer: " + std::string(400, 'a') + "</s>\n"}, true);
  EXPECT_TRUE(
      measured(chat,
               {"set", R"({"prompt": "Hello", "completion": ")" + std::string(400, 'a') + "\"}",
                true}) == plain);
}

TEST_F(CalibrationSetTest, NamesTheLineThatIsMalformedAndWritesNothing) {
  const std::string good = R"({"text": ")" + std::string(900, 'a') + "\"}\n";
  const auto refused = [&](const std::string& line, const std::string& why) {
    return fails_with(ErrorCode::kInvalidFile, {"set.jsonl, line 2", why}, [&] {
      measured(model_, {"set.jsonl", good + line, true});
    });
  };
  EXPECT_TRUE(refused("{", "JSON"));
  EXPECT_TRUE(refused("[1]", "object"));
  EXPECT_TRUE(refused("{}", "\"messages\""));
  EXPECT_TRUE(refused(R"({"text": 7})", "text"));
  EXPECT_TRUE(refused(R"({"messages": []})", "no list of messages"));
  EXPECT_TRUE(refused(R"({"messages": [{"content": "x"}]})", "message 1"));
  EXPECT_TRUE(refused(R"({"messages": [{"role": "user"}]})", "\"content\""));
  EXPECT_TRUE(refused(R"({"prompt": "x", "completion": 1})", "completion"));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"empty.jsonl", "no records"}, [&] {
    measured(model_, {"empty.jsonl", "\n", true});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"no chat template"}, [&] {
    measured(model_, {"set", R"({"prompt": "a", "completion": "b"})", true});
  }));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.gguf"));
}

}  // namespace
}  // namespace nibble
