#include "eval/few_shot.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace nibble {
namespace {

std::vector<ChoiceItem> numbered_items(size_t count) {
  std::vector<ChoiceItem> items(count);
  for (size_t i = 0; i < count; ++i) {
    items[i].id = std::to_string(i);
    items[i].context = "Q" + std::to_string(i);
    items[i].choices = {"no", "A" + std::to_string(i)};
    items[i].right = {1};
  }
  return items;
}

// random.Random(1234).sample(range(20), 3) three times, then range(1000), 6 and range(100), 12 in
// CPython 3.11: both ways in which it draws.
TEST(PythonRandom, SamplesAsPythonDoes) {
  PythonRandom random(1234);
  using Indices = std::vector<size_t>;
  EXPECT_EQ(random.sample(20, 3), (Indices{14, 3, 0}));
  EXPECT_EQ(random.sample(20, 3), (Indices{2, 18, 1}));
  EXPECT_EQ(random.sample(20, 3), (Indices{2, 3, 11}));
  EXPECT_EQ(random.sample(1000, 6), (Indices{242, 17, 31, 807, 16, 354}));
  EXPECT_EQ(random.sample(100, 12), (Indices{82, 79, 61, 78, 59, 19, 11, 23, 91, 14, 1, 64}));
}

TEST(FewShot, WritesExamplesWithTheirRightAnswers) {
  const auto pool = numbered_items(4);
  FewShot first(pool, false, 2, ShotOrder::kFirst);
  ChoiceItem item = pool[3];
  item.opening = "About numbers.\n\n";
  EXPECT_EQ(first.prompt(item), "About numbers.\n\nQ0 A0\n\nQ1 A1\n\n");
}

TEST(FewShot, NeverShowsTheItemItself) {
  const auto pool = numbered_items(5);
  FewShot first(pool, true, 2, ShotOrder::kFirst);
  EXPECT_EQ(first.prompt(pool[0]), "Q1 A1\n\nQ2 A2\n\n");
  FewShot sampled(pool, true, 4, ShotOrder::kSampled);
  for (const ChoiceItem& item : pool)
    EXPECT_EQ(sampled.prompt(item).find(item.context), std::string::npos) << item.id;
}

TEST(FewShot, StaysWithTheSubject) {
  auto pool = numbered_items(6);
  for (size_t i = 0; i < pool.size(); ++i) pool[i].subject = i % 2 == 0 ? "even" : "odd";
  FewShot first(pool, true, 2, ShotOrder::kFirst);
  EXPECT_EQ(first.prompt(pool[1]), "Q3 A3\n\nQ5 A5\n\n");
  FewShot too_many(pool, true, 3, ShotOrder::kFirst);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"3 examples", "there are 2", "on odd"},
                         [&] { too_many.prompt(pool[1]); }));
}

TEST(FewShot, FillsWhatIsScoredBehindTheRightOption) {
  ChoiceItem item;
  item.choices = {"The cup", "The plate"};
  item.ending = "broke.";
  item.right = {1};
  FewShot first(std::span(&item, 1), false, 1, ShotOrder::kFirst);
  EXPECT_EQ(first.prompt(ChoiceItem{}), "The plate broke.\n\n");
}

}  // namespace
}  // namespace nibble
