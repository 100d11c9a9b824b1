#include "eval/greedy_answers.h"

#include <algorithm>
#include <array>

#include "infer/sampler.h"
#include "infer/session.h"

namespace nibble {
namespace {

constexpr size_t kTogether = 16;

class Answering {
 public:
  Answering(Sequences& sequences, const Tokenizer& tokenizer, std::span<const GreedyPrompt> prompts)
      : sequences_(sequences), tokenizer_(tokenizer), prompts_(prompts), answers_(prompts.size()) {}

  // A sequence begins the next prompt: all but its last token is read.
  void begin(int64_t sequence, size_t prompt) {
    const std::span<const uint32_t> tokens = prompts_[prompt].tokens;
    sequences_.rewind(sequence);
    for (size_t at = 0; at + 1 < tokens.size(); at += Session::kBatch) {
      const size_t count = std::min<size_t>(tokens.size() - 1 - at, Session::kBatch);
      sequences_.feed(std::array<Sequences::Next, 1>{{{sequence, tokens.subspan(at, count), 0}}});
    }
    active_.push_back({sequence, prompt, tokens.back(), {}});
  }

  // Every active answer gets one more token; the sequences of those that end are returned.
  std::vector<int64_t> step(int64_t vocab_size) {
    std::vector<Sequences::Next> parts;
    for (const Active& a : active_) parts.push_back({a.sequence, std::span(&a.last, 1)});
    auto logits = sequences_.feed(parts);
    std::vector<int64_t> ended;
    for (Active& a : active_) {
      const uint32_t token = greedy_.sample(logits.first(static_cast<size_t>(vocab_size)));
      logits = logits.subspan(static_cast<size_t>(vocab_size));
      if (ends_with(a, token)) ended.push_back(a.sequence);
    }
    std::erase_if(active_, [&](const Active& a) {
      return std::ranges::find(ended, a.sequence) != ended.end();
    });
    return ended;
  }

  bool is_done() const { return active_.empty(); }
  std::vector<GreedyAnswer> take() { return std::move(answers_); }

 private:
  struct Active {
    int64_t sequence;
    size_t prompt;
    uint32_t last;  // not read yet
    std::vector<uint32_t> tokens;
  };

  bool ends_with(Active& active, uint32_t token) {
    if (token == tokenizer_.vocabulary().eos) return true;
    const GreedyPrompt& prompt = prompts_[active.prompt];
    GreedyAnswer& answer = answers_[active.prompt];
    active.last = token;
    active.tokens.push_back(token);
    answer.text = tokenizer_.decode(active.tokens);
    answer.tokens = static_cast<int64_t>(active.tokens.size());
    const auto is_there = [&](const std::string& stop) {
      return !stop.empty() && answer.text.find(stop) != std::string::npos;
    };
    return answer.tokens == prompt.max_tokens || std::ranges::any_of(prompt.stops, is_there);
  }

  Sequences& sequences_;
  const Tokenizer& tokenizer_;
  std::span<const GreedyPrompt> prompts_;
  Sampler greedy_{{.temperature = 0}};
  std::vector<GreedyAnswer> answers_;
  std::vector<Active> active_;
};

}  // namespace

std::vector<GreedyAnswer> greedy_answers(const ModelConfig& config, const Weights& weights,
                                         ThreadPool& pool, const Tokenizer& tokenizer,
                                         std::span<const GreedyPrompt> prompts, KvTypes kv_types,
                                         const std::function<void()>& on_answer) {
  int64_t longest = 0;
  for (const GreedyPrompt& prompt : prompts)
    longest = std::max(longest, static_cast<int64_t>(prompt.tokens.size()) + prompt.max_tokens);
  const auto count = static_cast<int64_t>(std::min(prompts.size(), kTogether));
  Sequences sequences(config, weights, pool, count, longest, kv_types);
  Answering answering(sequences, tokenizer, prompts);
  size_t next = 0;
  for (int64_t sequence = 0; sequence < count; ++sequence) answering.begin(sequence, next++);
  while (!answering.is_done()) {
    for (const int64_t sequence : answering.step(weights.vocab_size())) {
      on_answer();
      if (next < prompts.size()) answering.begin(sequence, next++);
    }
  }
  return answering.take();
}

}  // namespace nibble
