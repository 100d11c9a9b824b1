#include "eval/scored_text.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "eval/task_text.h"

namespace nibble {
namespace {

struct Pair {
  std::string context, continuation;
};

Pair pair_of(const ChoiceItem& item, const std::string& examples, size_t choice) {
  const std::string& text = item.choices[choice];
  if (item.ending.empty()) return {examples + item.context, item.delimiter + text};
  return {examples + text, item.delimiter + item.ending};
}

ScoredText harness_text(const Tokenizer& tokenizer, Pair pair) {
  ScoredText text;
  if (pair.context.empty()) {
    const Vocabulary& vocabulary = tokenizer.vocabulary();
    const auto start = vocabulary.bos ? vocabulary.bos : vocabulary.eos;
    text.tokens =
        tokenizer.encode(pair.continuation, {.add_special = false, .parse_special = true});
    // A continuation that begins with it brings its own.
    const bool has_start = !text.tokens.empty() && text.tokens.front() == start;
    if (start && !has_start) text.tokens.insert(text.tokens.begin(), *start);
    return text;
  }
  const size_t kept = right_strip(pair.context).size();
  const std::string whole = pair.context + pair.continuation;
  text.tokens = encode_with_control(tokenizer, pair.context.substr(0, kept));
  text.first = text.tokens.size();
  const auto all = encode_with_control(tokenizer, whole);
  if (all.size() > text.first)
    text.tokens.insert(text.tokens.end(), all.begin() + static_cast<ptrdiff_t>(text.first),
                       all.end());
  return text;
}

// Of tokens that all texts begin with; each text keeps one more.
size_t common_tokens(const std::vector<ScoredText>& texts) {
  const auto& one = texts.front().tokens;
  size_t common = one.size();
  for (const ScoredText& text : texts) {
    const auto end = std::ranges::mismatch(one, text.tokens).in1;
    common = std::min({common, static_cast<size_t>(end - one.begin()), text.tokens.size() - 1});
  }
  return std::min(common, one.size() - 1);
}

std::vector<ScoredText> whole_texts(const ChoiceItem& item, const Tokenizer& tokenizer) {
  std::vector<ScoredText> texts;
  for (size_t i = 0; i < item.choices.size(); ++i) {
    const Pair pair = pair_of(item, "", i);
    texts.push_back({tokenizer.encode(pair.context + pair.continuation), 1});
    if (texts.back().tokens.empty())
      fail(ErrorCode::kUsage, "item {}: choice {} has no tokens", item.id, i);
  }
  const size_t common = common_tokens(texts);
  for (ScoredText& text : texts) text.first = common;
  return texts;
}

void score_after_options(const ChoiceItem& item, const Tokenizer& tokenizer,
                         std::vector<ScoredText>& texts) {
  constexpr size_t kShort = 3;
  const bool is_long = std::ranges::all_of(
      texts, [](const ScoredText& text) { return text.tokens.size() - text.first > kShort; });
  for (size_t i = 0; i < texts.size(); ++i) {
    ScoredText& text = texts[i];
    if (is_long) text.first = tokenizer.encode(item.choices[i]).size();
    if (text.tokens.size() > text.first + 1) text.tokens.pop_back();
  }
}

void drop_front(ScoredText& text, size_t longest) {
  if (text.tokens.size() <= longest + 1) return;
  const size_t dropped = text.tokens.size() - (longest + 1);
  text.tokens.erase(text.tokens.begin(), text.tokens.begin() + static_cast<ptrdiff_t>(dropped));
  text.first -= std::min(dropped, text.first);  // 0: not even the choice fits
}

}  // namespace

std::vector<uint32_t> encode_with_control(const Tokenizer& tokenizer, std::string_view text) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  const auto start = vocabulary.bos ? vocabulary.bos : vocabulary.eos;
  const bool has_start = start && text.starts_with(tokenizer.piece(*start));
  return tokenizer.encode(text, {.add_special = !has_start, .parse_special = true});
}

std::vector<ScoredText> scored_texts(const ChoiceItem& item, const std::string& examples,
                                     const Tokenizer& tokenizer, ChoiceProtocol protocol,
                                     size_t longest) {
  std::vector<ScoredText> texts;
  if (protocol == ChoiceProtocol::kHarness) {
    for (size_t i = 0; i < item.choices.size(); ++i) {
      texts.push_back(harness_text(tokenizer, pair_of(item, examples, i)));
      drop_front(texts.back(), longest);
    }
  } else {
    texts = whole_texts(item, tokenizer);
    if (protocol == ChoiceProtocol::kAfterOption) score_after_options(item, tokenizer, texts);
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto& [tokens, first] = texts[i];
    if (first >= tokens.size())
      fail(ErrorCode::kUsage, "item {}: choice {} adds no token to its context", item.id, i);
    if (first == 0)
      fail(ErrorCode::kUsage, "item {}: no token stands before choice {}", item.id, i);
    if (tokens.size() > longest + 1) {
      fail(ErrorCode::kUsage, "item {}: choice {} has {} tokens, more than a context of {}",
           item.id, i, tokens.size() - 1, longest);
    }
  }
  return texts;
}

}  // namespace nibble
