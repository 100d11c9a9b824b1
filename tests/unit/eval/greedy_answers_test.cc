#include "eval/greedy_answers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "infer/session.h"
#include "support/checkpoint.h"
#include "text/hf_tokenizer.h"

namespace nibble {
namespace {

class GreedyAnswers : public testing::Test {
 protected:
  static Tokenizer tokenizer() {
    HfTokenizerFiles files;
    files.tokenizer_model = read_file(kLab7m / "tokenizer.model");
    return Tokenizer(vocabulary_from_hf(files, 4096));
  }

  std::vector<GreedyAnswer> answers(const std::vector<GreedyPrompt>& prompts) {
    done_ = 0;
    return greedy_answers(model_.config, model_.weights, pool_, tokenizer_, prompts, DType::kF32,
                          [&] { ++done_; });
  }

  std::string alone(const GreedyPrompt& prompt) {
    Session session(model_.config, model_.weights, pool_, 128, DType::kF32);
    auto logits = session.feed(prompt.tokens);
    std::vector<uint32_t> ids;
    while (static_cast<int64_t>(ids.size()) < prompt.max_tokens) {
      ids.push_back(static_cast<uint32_t>(std::ranges::max_element(logits) - logits.begin()));
      logits = session.feed(std::span(ids).last(1));
    }
    return tokenizer_.decode(ids);
  }

  Checkpoint model_{kLab7m};
  ThreadPool pool_{2};
  Tokenizer tokenizer_ = tokenizer();
  int done_ = 0;
};

// More prompts than go on together, and of different lengths.
TEST_F(GreedyAnswers, AreThoseThatEachPromptGetsAlone) {
  std::vector<GreedyPrompt> prompts;
  for (const char* text : {"The old man", "She", "Once upon a time there was a", "\"Yes,\" said"}) {
    for (const int64_t count : {1, 3, 4, 9, 12})
      prompts.push_back({tokenizer_.encode(text), {}, count});
  }
  const auto found = answers(prompts);
  ASSERT_EQ(found.size(), prompts.size());
  EXPECT_EQ(done_, 20);
  for (size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(found[i].text, alone(prompts[i])) << i;
    EXPECT_EQ(found[i].tokens, prompts[i].max_tokens) << i;
  }
}

TEST_F(GreedyAnswers, EndAtAStop) {
  const auto tokens = tokenizer_.encode("He sat down by the");
  const auto found = answers({{tokens, {"\n", " "}, 20}, {tokens, {}, 20}});
  EXPECT_NE(found[0].text.find(' '), std::string::npos);
  EXPECT_LT(found[0].tokens, 20);
  EXPECT_TRUE(found[1].text.starts_with(found[0].text));
}

}  // namespace
}  // namespace nibble
