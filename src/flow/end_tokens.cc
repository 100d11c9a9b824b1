#include "flow/end_tokens.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace nibble {
namespace {

// As the models' chat templates write them; llama.cpp (src/llama-vocab.cpp) knows the same.
constexpr std::array<std::string_view, 16> kEnds = {
    "<|im_end|>", "<|eot_id|>",    "<|eom_id|>",      "<end_of_turn>",
    "<|end|>",    "<|endoftext|>", "<|end_of_text|>", "<|return|>",
    "<|call|>",   "<|EOT|>",       "<EOT>",           "_<EOT>",
    "<turn|>",    "[EOS]",         "[EOT]",           "<｜end▁of▁sentence｜>"};

}  // namespace

std::vector<uint32_t> end_tokens_of(const Vocabulary& vocabulary) {
  std::vector<uint32_t> ids;
  for (const auto& id : {vocabulary.eos, vocabulary.eot}) {
    if (id) ids.push_back(*id);
  }
  for (uint32_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.types[id] == TokenType::kControl &&
        std::ranges::find(kEnds, vocabulary.tokens[id]) != kEnds.end())
      ids.push_back(id);
  }
  return ids;
}

}  // namespace nibble
