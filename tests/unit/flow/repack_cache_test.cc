#include "flow/repack_cache.h"

#include <gtest/gtest.h>

#include <fstream>

#include "nibble/error.h"
#include "nibble/evaluate.h"
#include "nibble/model.h"
#include "nibble/quantize.h"
#include "support/files.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

class RepackCacheOfAModel : public testing::Test {
 protected:
  void SetUp() override { write_model("q4_0"); }

  void write_model(const std::string& type) { quantize(kLab7m, {{type, model_}}); }
  Model load() const {
    LoadOptions options;
    options.run.threads = 2;
    options.repack_cache = cache_;
    return Model(model_, options);
  }
  // Of a few tokens: another weight would show in it.
  double loss() const { return loss_of(load()); }
  double loss_without_cache() const { return loss_of(Model(model_)); }
  static double loss_of(const Model& model) {
    EvaluateOptions options;
    options.context = 8;
    options.windows = 1;
    return evaluate(model, "Once upon a time there was a king", options).nll;
  }
  std::vector<fs::path> files() const {
    return {fs::directory_iterator(cache_), fs::directory_iterator()};
  }

  TemporaryFolder folder_;
  fs::path model_ = folder_ / "model.gguf";
  fs::path cache_ = folder_ / "a" / "cache";
};

TEST_F(RepackCacheOfAModel, IsWrittenOnceAndGivesTheSameBits) {
  const double expected = loss_without_cache();
  EXPECT_EQ(loss(), expected);
  ASSERT_EQ(files().size(), 1u);
  const auto written = fs::last_write_time(files()[0]);
  EXPECT_EQ(loss(), expected);
  EXPECT_TRUE(load().is_repacked());
  EXPECT_EQ(fs::last_write_time(files()[0]), written);
}

TEST_F(RepackCacheOfAModel, IsReplacedWhenTheModelChanges) {
  loss();
  const auto bytes = fs::file_size(files()[0]);
  write_model("q8_0");
  EXPECT_EQ(loss(), loss_without_cache());
  ASSERT_EQ(files().size(), 1u);
  EXPECT_GT(fs::file_size(files()[0]), bytes);
}

TEST_F(RepackCacheOfAModel, IsReplacedWhenOnlyTheTimeOfTheModelIsAnother) {
  loss();
  const auto written = fs::last_write_time(files()[0]);
  fs::last_write_time(model_, fs::last_write_time(model_) + std::chrono::seconds(3));
  loss();
  EXPECT_EQ(files().size(), 1u);
  EXPECT_NE(fs::last_write_time(files()[0]), written);
}

TEST_F(RepackCacheOfAModel, IsReplacedWhenItIsNoCacheOfThisModel) {
  const double expected = loss();
  const fs::path file = files()[0];
  const auto bytes = fs::file_size(file);
  fs::resize_file(file, bytes - 1);
  EXPECT_EQ(loss(), expected);
  EXPECT_EQ(fs::file_size(file), bytes);
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).write("NIBREPK0", 8);
  EXPECT_EQ(loss(), expected);
  EXPECT_EQ(read_file(file).substr(0, 8), "NIBREPK1");
}

TEST_F(RepackCacheOfAModel, RefusesAFolderThatCannotBe) {
  write_file(folder_ / "a", "a file");
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {cache_.string(), "choose another"}, [&] { load(); }));
}

TEST_F(RepackCacheOfAModel, RefusesModelsQuantizedInMemory) {
  LoadOptions options;
  options.type = "q4_0";
  options.repack_cache = cache_;
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, {"quantize it to a file"}, [&] { Model(kLab7m, options); }));
  EXPECT_FALSE(fs::exists(cache_));
}

}  // namespace
}  // namespace nibble
