#include "infer/session.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "support/checkpoint.h"

namespace nibble {
namespace {

TEST(Session, GoesOnFromWhereItWasRewoundTo) {
  const Checkpoint checkpoint(kLab7m);
  ThreadPool pool(1);
  Session session(checkpoint.config, checkpoint.weights, pool, 16, *dtype_from_name("f16"));
  const auto logits_after = [&](uint32_t token) {
    const auto logits = session.feed(std::array{token});
    return std::vector<float>(logits.begin(), logits.end());
  };
  session.feed(std::vector<uint32_t>{1, 40, 50, 60, 70});
  const auto first = logits_after(80);
  const auto second = logits_after(90);
  session.rewind(5);
  EXPECT_EQ(session.position(), 5);
  EXPECT_EQ(logits_after(80), first);
  EXPECT_EQ(logits_after(90), second);
  session.rewind();
  EXPECT_EQ(session.position(), 0);
  EXPECT_NE(logits_after(80), first);
}

}  // namespace
}  // namespace nibble
