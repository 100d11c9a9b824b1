#include "model/tensor_shapes.h"

#include <gtest/gtest.h>

#include "support/checkpoint.h"
#include "support/mixtral.h"

namespace nibble {
namespace {

TEST(TensorList, IsThatOfACheckpoint) {
  const Checkpoint checkpoint(kLab7m);
  EXPECT_EQ(tensors_of(checkpoint.config,
                       {.vocab_size = checkpoint.weights.vocab_size(), .type = DType::kF16}),
            checkpoint.tensors.tensors());
}

TEST(TensorList, IsThatOfACheckpointWithExperts) {
  const TemporaryFolder folder;
  write_mixtral(folder.path(), {});
  const Checkpoint checkpoint(folder.path());
  EXPECT_EQ(tensors_of(checkpoint.config,
                       {.vocab_size = checkpoint.weights.vocab_size(), .type = DType::kF16}),
            checkpoint.tensors.tensors());
}

TEST(TensorList, HasAnOutputAndRopeFactorsOnlyWhereAskedFor) {
  const Checkpoint checkpoint(kLab7m);
  const auto names = [&](bool has_output, bool has_rope_factors) {
    std::string found;
    std::vector<Role> made;
    if (has_rope_factors) made.push_back(Role::kRopeFreqs);
    for (const TensorInfo& tensor : tensors_of(
             checkpoint.config,
             {.vocab_size = 16, .has_output = has_output, .made = made, .type = DType::kBF16})) {
      if (!tensor.name.starts_with("blk."))
        found += tensor.name + " " + std::string(dtype_name(tensor.type)) + "\n";
    }
    return found;
  };
  EXPECT_EQ(names(false, false), "token_embd.weight bf16\noutput_norm.weight bf16\n");
  EXPECT_EQ(names(true, true),
            "token_embd.weight bf16\noutput_norm.weight bf16\noutput.weight bf16\n"
            "rope_freqs.weight f32\n");
}

TEST(TensorList, IsTiedWithoutAnOutput) {
  const Checkpoint checkpoint(kLab7m);
  for (const bool has_output : {true, false}) {
    EXPECT_EQ(is_tied(tensors_of(checkpoint.config, {.vocab_size = 16, .has_output = has_output})),
              !has_output);
  }
}

}  // namespace
}  // namespace nibble
