// Prompts continued greedily, several at a time, each until its own end.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "infer/sequences.h"
#include "text/tokenizer.h"

namespace nibble {

struct GreedyPrompt {
  std::vector<uint32_t> tokens;    // at least one
  std::vector<std::string> stops;  // an answer ends where one of these is complete
  int64_t max_tokens = 0;          // at least one
};

struct GreedyAnswer {
  std::string text;  // up to the model's end token, stops included
  int64_t tokens = 0;
};

// The most probable token each time, of equals the one of the lowest number. What else is in work
// changes no answer, under the conditions of Forward::run. `on_answer` is called after each one;
// what it throws passes through. Error kInvalidFile when the model computes what is no number.
std::vector<GreedyAnswer> greedy_answers(const ModelConfig& config, const Weights& weights,
                                         ThreadPool& pool, const Tokenizer& tokenizer,
                                         std::span<const GreedyPrompt> prompts, KvTypes kv_types,
                                         const std::function<void()>& on_answer);

}  // namespace nibble
