// From an item of multiple choice to the tokens whose probability is asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "eval/task_item.h"
#include "text/tokenizer.h"

namespace nibble {

// How choices become tokens, and which of these are scored.
enum class ChoiceProtocol {
  // lm-evaluation-harness's: white space at the end of the context belongs to what follows it, both
  // are encoded as one text and the context alone, and what the former has more is scored. Control
  // tokens in the text are read as such. Tokens that do not fit the model's context are left out in
  // front.
  kHarness,
  // llama-perplexity's --hellaswag and --multiple-choice: context and choice as one text; scored is
  // what follows the tokens that all choices begin with.
  kAfterCommonTokens,
  // Its --winogrande: scored is what follows the option, but not the last token (a full stop) if
  // there is another; where either text has no more than 3 tokens after the common ones, the option
  // is scored, too.
  kAfterOption,
};

// tokens[first], tokens[first + 1], ... are scored, each given those before it.
struct ScoredText {
  std::vector<uint32_t> tokens;
  size_t first = 1;  // at least 1, less than tokens.size()
};

// One for each choice; `examples` stands before the context. `longest`: tokens that the model can
// read (the last one of a text is never read). Error kUsage, naming the item, when nothing is left
// to score or it does not fit.
std::vector<ScoredText> scored_texts(const ChoiceItem& item, const std::string& examples,
                                     const Tokenizer& tokenizer, ChoiceProtocol protocol,
                                     size_t longest);

// Encodes as lm-evaluation-harness does: control tokens in the text are read as such, and a text
// that begins with the beginning-of-text token gets no other.
std::vector<uint32_t> encode_with_control(const Tokenizer& tokenizer, std::string_view text);

}  // namespace nibble
