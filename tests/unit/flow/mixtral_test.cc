// A mixture of experts from a Hugging Face directory to GGUF files, compared, resumed and run.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "file/gguf.h"
#include "nibble/generate.h"
#include "nibble/model.h"
#include "nibble/quantize.h"
#include "nibble/verify.h"
#include "support/mixtral.h"

namespace nibble {
namespace {

class MixtralFileTest : public testing::Test {
 protected:
  MixtralFileTest() {
    write_mixtral(
        model_, {.hidden = 256, .ffn = 256, .layers = 1, .heads = 4, .experts = 5, .vocab = 4096});
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
      std::filesystem::copy(kLab7m / name, model_ / name);
  }

  static std::string type_of(const GgufFile& file, const std::string& name) {
    const auto found = std::ranges::find(file.tensors(), name, &TensorInfo::name);
    return found == file.tensors().end() ? "missing" : std::string(dtype_name(found->type));
  }
  static std::vector<uint32_t> greedy(const std::filesystem::path& path) {
    const Model model(path);
    GenerateOptions options;
    options.max_tokens = 12;
    options.temperature = 0;
    options.ignore_eos = true;
    return generate(model, "Once upon a time", options).tokens;
  }

  TemporaryFolder folder_;
  std::filesystem::path model_ = folder_ / "mixtral";
};

TEST_F(MixtralFileTest, IsWrittenAsLlamaCppWantsIt) {
  quantize(model_, {{"bf16", folder_ / "bf16.gguf"}, {"q4_k_m", folder_ / "q4_k_m.gguf"}});
  const GgufFile file(folder_ / "q4_k_m.gguf");
  EXPECT_EQ(file.metadata().require_string("general.architecture"), "llama");
  EXPECT_EQ(file.metadata().require_uint("llama.expert_count"), 5u);
  EXPECT_EQ(file.metadata().require_uint("llama.expert_used_count"), 2u);
  EXPECT_EQ(file.metadata().require_uint("llama.feed_forward_length"), 256u);
  EXPECT_EQ(type_of(file, "blk.0.ffn_up_exps.weight"), "q4_k");
  EXPECT_EQ(type_of(file, "blk.0.ffn_gate_inp.weight"), "f32");
  EXPECT_EQ(type_of(GgufFile(folder_ / "bf16.gguf"), "blk.0.ffn_gate_inp.weight"), "f32");
  EXPECT_EQ(type_of(GgufFile(folder_ / "bf16.gguf"), "blk.0.ffn_down_exps.weight"), "bf16");
}

TEST_F(MixtralFileTest, OnlyExpertsBecomeMxfp4InItsMixture) {
  quantize(model_, {{"mxfp4_moe", folder_ / "out.gguf"}});
  const GgufFile file(folder_ / "out.gguf");
  EXPECT_EQ(type_of(file, "blk.0.ffn_gate_exps.weight"), "mxfp4");
  EXPECT_EQ(type_of(file, "blk.0.ffn_down_exps.weight"), "mxfp4");
  EXPECT_EQ(type_of(file, "blk.0.attn_q.weight"), "q8_0");
}

TEST_F(MixtralFileTest, ComesOutTheSameInLittleMemoryAndWhenResumed) {
  quantize(model_, {{"q4_0", folder_ / "whole.gguf"}});
  QuantizeOptions options;
  options.memory_limit = 64 << 10;
  const auto result = quantize(model_, {{"q4_0", folder_ / "small.gguf"}}, options);
  EXPECT_LE(result.peak_buffer_bytes, options.memory_limit);
  EXPECT_TRUE(read_file(folder_ / "small.gguf") == read_file(folder_ / "whole.gguf"));

  const std::atomic<bool> cancelled{true};
  QuantizeOptions interrupted;
  interrupted.run.threads = 1;
  interrupted.run.cancelled = &cancelled;
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {"--resume"}, [&] {
    quantize(model_, {{"q4_0", folder_ / "resumed.gguf"}}, interrupted);
  }));
  QuantizeOptions resume;
  resume.resume = true;
  quantize(model_, {{"q4_0", folder_ / "resumed.gguf"}}, resume);
  EXPECT_TRUE(read_file(folder_ / "resumed.gguf") == read_file(folder_ / "whole.gguf"));

  const auto verified = verify(folder_ / "whole.gguf", model_);
  EXPECT_TRUE(verified.problems.empty());
  EXPECT_EQ(verified.bytes_compared, verified.bytes);
}

TEST_F(MixtralFileTest, RunsAlikeFromTheDirectoryAndFromItsFile) {
  quantize(model_, {{"f16", folder_ / "f16.gguf"}});
  const auto ids = greedy(folder_ / "f16.gguf");
  EXPECT_EQ(ids.size(), 12u);
  EXPECT_EQ(greedy(model_), ids);
}

}  // namespace
}  // namespace nibble
