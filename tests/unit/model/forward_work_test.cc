#include "model/forward_work.h"

#include <gtest/gtest.h>

#include "support/checkpoint.h"

namespace nibble {
namespace {

class ForwardWorkTest : public testing::Test {
 protected:
  ForwardWork work(int64_t position, int64_t tokens, int64_t wanted) const {
    return forward_work(checkpoint_.config, checkpoint_.weights, *dtype_from_name("f16"), position,
                        tokens, wanted);
  }
  // Weights of the matrices of all layers, by name.
  int64_t weights_of_layers() const {
    int64_t count = 0;
    for (const TensorInfo& tensor : checkpoint_.tensors.tensors()) {
      if (tensor.name.starts_with("blk.") && tensor.shape.rank == 2)
        count += static_cast<int64_t>(tensor.shape.count());
    }
    return count;
  }
  int64_t weights_of_output() const {
    return checkpoint_.weights.vocab_size() * checkpoint_.config.hidden;
  }
  int64_t cache_row_bytes() const {
    return 2 * checkpoint_.config.layers * checkpoint_.config.kv_width() * 2;
  }

  Checkpoint checkpoint_{kLab7m};
};

TEST_F(ForwardWorkTest, ATokenReadsEachMatrixAndWhatIsCached) {
  const ForwardWork token = work(100, 1, 1);
  EXPECT_EQ(token.read_bytes,
            2 * (weights_of_layers() + weights_of_output()) + 101 * cache_row_bytes());
  EXPECT_EQ(token.float_products, weights_of_layers() + weights_of_output());
  EXPECT_EQ(token.integer_products, 0);
}

TEST_F(ForwardWorkTest, ABatchMultipliesEachTokenAndMakesTheWantedLogits) {
  const ForwardWork batch = work(0, 10, 3);
  EXPECT_EQ(batch.float_products, 10 * weights_of_layers() + 3 * weights_of_output());
  EXPECT_EQ(batch.read_bytes,
            2 * (weights_of_layers() + weights_of_output()) + 55 * cache_row_bytes());
  EXPECT_EQ(work(0, 10, 0).read_bytes, 2 * weights_of_layers() + 55 * cache_row_bytes());
}

TEST_F(ForwardWorkTest, SequencesShareMatricesAndHaveCachesOfTheirOwn) {
  const ForwardWork one = work(100, 1, 1);
  const ForwardWork eight =
      forward_work(checkpoint_.config, checkpoint_.weights, *dtype_from_name("f16"), 100, 1, 1, 8);
  EXPECT_EQ(eight.float_products, 8 * one.float_products);
  EXPECT_EQ(eight.read_bytes, one.read_bytes + 7 * 101 * cache_row_bytes());
}

TEST_F(ForwardWorkTest, AddsUp) {
  ForwardWork sum = work(7, 1, 1);
  sum += work(8, 1, 1);
  EXPECT_EQ(sum.float_products, 2 * work(7, 1, 1).float_products);
  EXPECT_EQ(sum.read_bytes, 2 * work(7, 1, 1).read_bytes + cache_row_bytes());
}

}  // namespace
}  // namespace nibble
