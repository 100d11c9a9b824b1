#include "infer/session.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "support/checkpoint.h"

namespace nibble {
namespace {

std::vector<float> logits_after(Session& session, uint32_t token) {
  const auto logits = session.feed(std::array{token});
  return {logits.begin(), logits.end()};
}

TEST(Session, GoesOnFromWhereItWasRewoundTo) {
  const Checkpoint checkpoint(kLab7m);
  ThreadPool pool(1);
  Session session(checkpoint.config, checkpoint.weights, pool, 16, *dtype_from_name("f16"));
  session.feed(std::vector<uint32_t>{1, 40, 50, 60, 70});
  const auto first = logits_after(session, 80);
  const auto second = logits_after(session, 90);
  session.rewind(5);
  EXPECT_EQ(session.position(), 5);
  EXPECT_EQ(logits_after(session, 80), first);
  EXPECT_EQ(logits_after(session, 90), second);
  session.rewind();
  EXPECT_EQ(session.position(), 0);
  EXPECT_NE(logits_after(session, 80), first);
}

TEST(Session, RemovingTheLastTokensIsRewinding) {
  const Checkpoint checkpoint(kLab7m);
  ThreadPool pool(2);
  Session session(checkpoint.config, checkpoint.weights, pool, 16, *dtype_from_name("f16"));
  session.feed(std::vector<uint32_t>{1, 40});
  session.feed(std::vector<uint32_t>{50, 60, 70});
  const auto first = logits_after(session, 80);
  session.remove(2, 4);
  EXPECT_EQ(session.position(), 2);
  session.feed(std::vector<uint32_t>{50, 60, 70});
  EXPECT_EQ(logits_after(session, 80), first);
}

TEST(Session, GoesOnWithoutWhatWasRemovedFromTheMiddle) {
  const Checkpoint checkpoint(kLab7m);
  ThreadPool pool(2);
  Session session(checkpoint.config, checkpoint.weights, pool, 8, *dtype_from_name("f32"));
  session.feed(std::vector<uint32_t>{1, 40, 50, 60, 70, 80, 90, 100});
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"8"}, [&] { session.feed(std::array{110u}); }));
  session.remove(1, 3);
  EXPECT_EQ(session.position(), 5);
  const auto after = logits_after(session, 110);
  EXPECT_EQ(session.position(), 6);
  session.rewind();
  const auto all = session.feed(std::vector<uint32_t>{1, 70, 80, 90, 100, 110});
  const std::vector<float> anew(all.begin(), all.end());
  // What is left has seen what is gone: not what a text without it gives.
  EXPECT_NE(after, anew);
}

TEST(Session, GivesLogitsInPiecesWithTheSameBits) {
  const Checkpoint checkpoint(kLab7m);
  ThreadPool pool(2);
  const std::vector<uint32_t> tokens = {1, 40, 50, 60, 70, 80, 90};
  Session session(checkpoint.config, checkpoint.weights, pool, 16, *dtype_from_name("f16"));
  const auto all = session.feed(tokens, 5);
  const std::vector<float> expected(all.begin(), all.end());
  session.rewind();
  session.read(tokens, 5);
  EXPECT_EQ(session.position(), 7);
  std::vector<float> found;
  for (const auto& [begin, count] : {std::pair(0, 4), std::pair(4, 1)}) {
    const auto piece = session.logits(begin, count);
    found.insert(found.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-3) << i;
}

}  // namespace
}  // namespace nibble
