// Work that was interrupted goes on, and ends in the bytes of work that was not.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "base/output_file.h"
#include "file/gguf.h"
#include "file/journal.h"
#include "flow/lock_record.h"
#include "nibble/quantize.h"
#include "nibble/split.h"
#include "support/files.h"

namespace nibble {
namespace {

class ResumeTest : public testing::Test {
 protected:
  static constexpr const char* kTypes[] = {"q8_0", "q4_0"};

  std::filesystem::path target(const std::string& type) const { return folder_ / (type + ".gguf"); }
  std::vector<QuantizeTarget> targets() const {
    std::vector<QuantizeTarget> result;
    for (const char* type : kTypes) result.push_back({type, target(type)});
    return result;
  }

  // The flag is looked at after each piece: one piece of the first tensor gets done.
  void interrupt() {
    const std::atomic<bool> cancelled{true};
    QuantizeOptions options;
    options.run.threads = 1;
    options.run.cancelled = &cancelled;
    EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {"--resume"},
                           [&] { quantize(kLab7m, targets(), options); }));
  }
  QuantizeResult resume(ProgressFunction on_progress = {}) {
    QuantizeOptions options;
    options.resume = true;
    options.run.on_progress = std::move(on_progress);
    return quantize(kLab7m, targets(), options);
  }
  testing::AssertionResult is_as_uninterrupted() const {
    const TemporaryFolder other;
    for (const char* type : kTypes) {
      quantize(kLab7m, {{type, other / "whole.gguf"}});
      if (read_file(target(type)) != read_file(other / "whole.gguf")) {
        return testing::AssertionFailure() << type << " differs";
      }
    }
    const size_t files = folder_.count_files();
    if (files != std::size(kTypes)) return testing::AssertionFailure() << files << " files";
    return testing::AssertionSuccess();
  }

  TemporaryFolder folder_;
};

TEST_F(ResumeTest, EndsInTheSameBytes) {
  interrupt();
  EXPECT_EQ(folder_.count_files(), 4u);
  EXPECT_EQ(find_unfinished(kLab7m, targets()).size(), 2u);
  const auto result = resume();
  EXPECT_GT(result.files[0].bytes_resumed, 0u);
  EXPECT_LT(result.files[0].bytes_resumed, result.files[0].bytes);
  EXPECT_TRUE(is_as_uninterrupted());
}

TEST_F(ResumeTest, MayBeInterruptedBeforeItGoesOn) {
  interrupt();
  const std::atomic<bool> cancelled{true};
  QuantizeOptions options;
  options.resume = true;
  options.run.cancelled = &cancelled;
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {"--resume"},
                         [&] { quantize(kLab7m, targets(), options); }));
  EXPECT_GT(resume().files[0].bytes_resumed, 0u);
  EXPECT_TRUE(is_as_uninterrupted());
}

// None of the pieces that were left is whole, and a third target cannot be written.
TEST_F(ResumeTest, KeepsWhatWasLeftWhenItCannotBegin) {
  interrupt();
  write_file(part_path(target("q8_0")), "");
  const auto journal = read_file(journal_path(target("q4_0")));
  auto three = targets();
  three.push_back({"f16", folder_ / "none" / "f16.gguf"});
  std::filesystem::create_directories(part_path(three.back().path));
  QuantizeOptions options;
  options.resume = true;
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {"f16.gguf"}, [&] { quantize(kLab7m, three, options); }));
  EXPECT_EQ(find_unfinished(kLab7m, targets()).size(), 2u);
  EXPECT_EQ(read_file(journal_path(target("q4_0"))), journal);
}

TEST_F(ResumeTest, LeavesNothingWhenItCannotKeepAJournal) {
  std::filesystem::create_directory(journal_path(target("q4_0")));
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {"q4_0.gguf.journal"}, [&] { resume(); }));
  EXPECT_FALSE(std::filesystem::exists(part_path(target("q4_0"))));
  EXPECT_FALSE(std::filesystem::exists(part_path(target("q8_0"))));
}

TEST_F(ResumeTest, RunsWhenThereIsNothingToGoOnWith) {
  EXPECT_EQ(resume().files[0].bytes_resumed, 0u);
  EXPECT_TRUE(is_as_uninterrupted());
}

TEST_F(ResumeTest, DoesFinishedFilesNotAgain) {
  resume();
  const auto before = std::filesystem::last_write_time(target("q8_0"));
  EXPECT_EQ(resume().source_bytes, 0u);
  EXPECT_EQ(std::filesystem::last_write_time(target("q8_0")), before);
  std::filesystem::remove(target("q4_0"));
  const auto result = resume();
  EXPECT_GT(result.source_bytes, 0u);
  EXPECT_EQ(result.files[0].bytes_resumed, result.files[0].bytes);
  EXPECT_EQ(std::filesystem::last_write_time(target("q8_0")), before);
  EXPECT_TRUE(is_as_uninterrupted());
}

// As after a loss of power: the journal's record is there, the bytes are not.
TEST_F(ResumeTest, RedoesPiecesWhoseBytesWereLost) {
  interrupt();
  const auto part = part_path(target("q8_0"));
  std::string bytes = read_file(part);
  const size_t tail = bytes.find_last_not_of('\0');
  ASSERT_GT(tail, 200000u);
  bytes.replace(tail - 1000, 500, 500, '\0');
  write_file(part, bytes);
  const auto result = resume();
  EXPECT_EQ(result.files[0].bytes_resumed, 0u);
  EXPECT_GT(result.files[1].bytes_resumed, 0u);
  EXPECT_TRUE(is_as_uninterrupted());
}

TEST_F(ResumeTest, TellsWhatWasDoneBeforeFromWhatIsDoneNow) {
  interrupt();
  Progress last;
  resume([&](const Progress& progress) { last = progress; });
  EXPECT_EQ(last.phase, "quantizing");
  EXPECT_GT(last.resumed, 0u);
  EXPECT_LT(last.resumed, last.total);
  EXPECT_EQ(last.done, last.total);
}

TEST_F(ResumeTest, DoesNotNeedTheEndOfTheJournal) {
  interrupt();
  const auto journal = journal_path(target("q4_0"));
  std::filesystem::resize_file(journal, std::filesystem::file_size(journal) - 1);
  resume();
  EXPECT_TRUE(is_as_uninterrupted());
}

TEST_F(ResumeTest, RefusesOtherWorkAndSaysWhatDiffers) {
  interrupt();
  QuantizeOptions options;
  options.resume = true;
  const size_t files = folder_.count_files();
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, {"q8_0.gguf", "recipe: q8_0", "recipe: f16", "--resume"}, [&] {
        quantize(kLab7m, {{"f16", target("q8_0")}}, options);
      }));
  const TemporaryFolder elsewhere;
  std::filesystem::copy(kLab7m, elsewhere / "lab-7m");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"q8_0.gguf", "source: "},
                         [&] { quantize(elsewhere / "lab-7m", targets(), options); }));
  EXPECT_EQ(folder_.count_files(), files);
  resume();
  EXPECT_TRUE(is_as_uninterrupted());
}

TEST_F(ResumeTest, KnowsWhichEntriesOfTheImportanceMatrixAreUsed) {
  const std::vector<QuantizeTarget> one = {{"q4_0", target("q4_0")}};
  QuantizeOptions options;
  options.resume = true;
  options.imatrix = repository_path("tests/golden/lab-7m/imatrix.dat");
  options.include_weights = {"blk.1", "blk.2"};
  quantize(kLab7m, one, options);
  EXPECT_EQ(quantize(kLab7m, one, options).source_bytes, 0u);
  options.include_weights = {"blk.1", "blk.3"};  // as many entries: only the lock record differs
  const std::atomic<bool> cancelled{true};
  options.run.cancelled = &cancelled;
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {}, [&] { quantize(kLab7m, one, options); }));
  options.run.cancelled = nullptr;
  options.include_weights = {"blk.1", "blk.4"};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage,
                         {"\"imatrix.include: blk.1,blk.3\"", "\"imatrix.include: blk.1,blk.4\""},
                         [&] { quantize(kLab7m, one, options); }));
}

TEST_F(ResumeTest, BeginsAnewWhenNotAsked) {
  interrupt();
  const auto result = quantize(kLab7m, targets());
  EXPECT_EQ(result.files[0].bytes_resumed, 0u);
  EXPECT_TRUE(is_as_uninterrupted());
}

TEST_F(ResumeTest, ReplacesAnOlderFileOfAnotherType) {
  quantize(kLab7m, {{"f16", target("q8_0")}});
  resume();
  EXPECT_TRUE(is_as_uninterrupted());
}

TEST(Resume, GoesOnWithFilesThatAreSplitAsTheSourceIs) {
  const TemporaryFolder folder;
  quantize(kLab7m, {{"f16", folder / "f16.gguf"}});
  SplitOptions by_count;
  by_count.max_tensors = 25;
  const auto source = split(folder / "f16.gguf", folder / "f16", by_count).front().path;
  const std::vector<QuantizeTarget> target = {{"q8_0", folder / "q8_0.gguf"}};
  QuantizeOptions options;
  options.keep_split = true;
  options.resume = true;
  options.run.threads = 1;
  const std::atomic<bool> cancelled{true};
  options.run.cancelled = &cancelled;
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {}, [&] { quantize(source, target, options); }));
  const auto unfinished = find_unfinished(source, target, options);
  ASSERT_EQ(unfinished.size(), 1u);
  EXPECT_EQ(unfinished[0].filename(), "q8_0-00001-of-00003.gguf");
  options.run.cancelled = nullptr;
  const auto resumed = quantize(source, target, options).files[0];
  EXPECT_GT(resumed.bytes_resumed, 0u);
  EXPECT_LT(resumed.bytes_resumed, resumed.bytes);
  EXPECT_EQ(quantize(source, target, options).source_bytes, 0u);
  EXPECT_TRUE(find_unfinished(source, target, options).empty());

  options.resume = false;
  quantize(source, {{"q8_0", folder / "whole.gguf"}}, options);
  for (const char* part :
       {"-00001-of-00003.gguf", "-00002-of-00003.gguf", "-00003-of-00003.gguf"}) {
    EXPECT_EQ(read_file(folder / ("q8_0" + std::string(part))),
              read_file(folder / ("whole" + std::string(part))))
        << part;
  }
}

TEST(LockRecord, IsThereInEveryFile) {
  const TemporaryFolder folder;
  write_file(folder / "my.recipe", "all q5_0\n");
  quantize(kLab7m, {{(folder / "my.recipe").string(), folder / "out.gguf"}});
  const GgufFile file(folder / "out.gguf");
  const auto record = find_lock_record(file.metadata());
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->source, "lab-7m");
  EXPECT_EQ(record->recipe, "my.recipe");
  EXPECT_EQ(record->recipe_text, "all q5_0\n");
  EXPECT_EQ(record->effort, "default");
  EXPECT_EQ(record->imatrix_sha256, "");
  ASSERT_EQ(record->tensor_sha256.size(), file.tensors().size());
  EXPECT_EQ(std::ranges::count(record->tensor_sha256, std::string(64, '0')), 0);
}

TEST(LockRecord, GoesWithACopyUnlessItsLayersAreOthers) {
  const TemporaryFolder folder;
  quantize(kLab7m, {{"q8_0", folder / "q8_0.gguf"}});
  quantize(folder / "q8_0.gguf", {{"copy", folder / "copy.gguf"}});
  EXPECT_EQ(read_file(folder / "copy.gguf"), read_file(folder / "q8_0.gguf"));
  QuantizeOptions options;
  options.prune_layers = {2};
  quantize(folder / "q8_0.gguf", {{"copy", folder / "pruned.gguf"}}, options);
  const GgufFile pruned(folder / "pruned.gguf");
  for (const auto& [key, value] : pruned.metadata().entries()) {
    EXPECT_FALSE(key.starts_with(kLockPrefix)) << key;
  }
}

TEST(LockRecord, HashesWhatTheSourceHolds) {
  const TemporaryFolder folder;
  quantize(kLab7m, {{"f16", folder / "f16.gguf"}});
  quantize(folder / "f16.gguf", {{"q8_0", folder / "q8_0.gguf"}});
  const GgufFile source(folder / "f16.gguf");
  const GgufFile file(folder / "q8_0.gguf");
  const auto record = find_lock_record(file.metadata()).value();
  EXPECT_EQ(record.source, "f16.gguf");
  for (const char* name : {"output_norm.weight", "blk.0.attn_q.weight"}) {  // of one piece each
    const auto at = std::ranges::find(source.tensors(), name, &TensorInfo::name);
    const auto i = static_cast<size_t>(at - source.tensors().begin());
    EXPECT_EQ(record.tensor_sha256[i], hex(sha256(sha256(source.view(i))))) << name;
  }
}

}  // namespace
}  // namespace nibble
