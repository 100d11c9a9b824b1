#include "infer/sequences.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "infer/session.h"
#include "support/checkpoint.h"

namespace nibble {
namespace {

class SequencesTest : public testing::Test {
 protected:
  std::vector<float> feed(std::span<const Sequences::Next> parts) {
    const auto logits = sequences_.feed(parts);
    return {logits.begin(), logits.end()};
  }

  Checkpoint checkpoint_{kLab7m};
  ThreadPool pool_{2};
  Sequences sequences_{checkpoint_.config, checkpoint_.weights, pool_, 3, 16, DType::kF16};
  const std::vector<uint32_t> text_ = {1, 40, 50, 60, 70, 80, 90, 100};
};

TEST_F(SequencesTest, ContinueEachItsOwnText) {
  const std::span text(text_);
  const std::vector<Sequences::Next> beginnings = {
      {2, text.first(5)}, {0, text.first(4), 0}, {1, text.subspan(3)}};
  const auto begun = feed(beginnings);
  const auto vocabulary = static_cast<size_t>(checkpoint_.weights.vocab_size());
  EXPECT_EQ(begun.size(), 2 * vocabulary);
  EXPECT_EQ(sequences_.position(0), 4);
  EXPECT_EQ(sequences_.position(1), 5);
  EXPECT_EQ(sequences_.position(2), 5);
  Session session(checkpoint_.config, checkpoint_.weights, pool_, 16, DType::kF16);
  const auto alone = session.feed(text.first(5));
  EXPECT_EQ(std::vector<float>(alone.begin(), alone.end()),
            std::vector<float>(begun.begin(), begun.begin() + static_cast<int64_t>(vocabulary)));
}

TEST_F(SequencesTest, AreRewoundOneByOne) {
  const std::span text(text_);
  feed(std::array<Sequences::Next, 2>{{{0, text.first(6)}, {1, text.first(6)}}});
  const std::array<Sequences::Next, 2> more = {{{0, text.subspan(6, 2)}, {1, text.subspan(6, 2)}}};
  const auto first = feed(more);
  sequences_.rewind(0, 6);
  EXPECT_EQ(sequences_.position(0), 6);
  EXPECT_EQ(sequences_.position(1), 8);
  sequences_.rewind(1, 6);
  EXPECT_EQ(feed(more), first);
}

TEST_F(SequencesTest, GoOnFromWhatAnotherOneHasRead) {
  const std::span text(text_);
  feed(std::array<Sequences::Next, 2>{{{0, text.first(7)}, {2, text.subspan(2, 5)}}});
  sequences_.copy(0, 2, 4);
  EXPECT_EQ(sequences_.position(2), 4);
  EXPECT_EQ(sequences_.position(0), 7);
  const auto copied = feed(std::array<Sequences::Next, 1>{{{2, text.subspan(4, 4)}}});
  sequences_.rewind(0, 4);
  EXPECT_EQ(feed(std::array<Sequences::Next, 1>{{{0, text.subspan(4, 4)}}}), copied);
}

TEST_F(SequencesTest, RefuseWhatDoesNotFit) {
  const std::vector<uint32_t> long_text(17, 40), no_token = {1u << 30};
  for (const auto& [tokens, fragment] :
       {std::pair(&long_text, "17 more tokens"), std::pair(&no_token, "not in the vocabulary")}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, {fragment}, [&, &tokens = tokens] {
      feed(std::array<Sequences::Next, 2>{{{1, text_}, {0, *tokens}}});
    }));
    EXPECT_EQ(sequences_.position(1), 0);  // nothing was read
  }
}

}  // namespace
}  // namespace nibble
