#include "text/sentencepiece_bpe.h"

#include <algorithm>
#include <limits>

#include "text/unicode.h"

namespace nibble {
namespace {

constexpr uint32_t kNoToken = std::numeric_limits<uint32_t>::max();
constexpr int32_t kNone = -1;

// A space that follows something else than a space.
bool has_inner_space(std::string_view token) {
  for (size_t place = token.find(kSpaceMark, 1); place != token.npos;
       place = token.find(kSpaceMark, place + 1)) {
    if (!token.substr(0, place).ends_with(kSpaceMark)) return true;
  }
  return false;
}

// Where the word at the front of `text` ends: before the next space that follows something else.
size_t word_length(std::string_view text) {
  size_t place = 0;
  while (text.substr(place).starts_with(kSpaceMark)) place += kSpaceMark.size();
  return std::min(text.find(kSpaceMark, place), text.size());
}

}  // namespace

SentencePieceBpe::SentencePieceBpe(const Vocabulary& vocabulary) : vocabulary_(&vocabulary) {
  byte_ids_.fill(kNoToken);
  normal_.reserve(vocabulary.size());
  for (uint32_t id = 0; id < vocabulary.size(); ++id) {
    const std::string_view text = vocabulary.tokens[id];
    if (vocabulary.types[id] == TokenType::kByte) {
      byte_ids_[*byte_of_token(text)] = id;
    } else if (vocabulary.types[id] == TokenType::kNormal) {
      normal_.emplace(text, id);  // the first of several equal ones
      longest_normal_ = std::max(longest_normal_, text.size());
      words_are_separate_ = words_are_separate_ && !has_inner_space(text);
    }
  }
  spells_bytes_ = std::ranges::count(byte_ids_, kNoToken) == 0;
}

void SentencePieceBpe::encode(std::string_view text, Workspace& work,
                              std::vector<uint32_t>& ids) const {
  work.begin = ids.size();
  while (!text.empty()) {
    const size_t length = words_are_separate_ ? word_length(text) : text.size();
    encode_word(text.substr(0, length), work, ids);
    text.remove_prefix(length);
  }
}

void SentencePieceBpe::encode_word(std::string_view word, Workspace& work,
                                   std::vector<uint32_t>& ids) const {
  split_into_symbols(word, work);
  merge_symbols(word, work);
  for (int32_t i = 0; i != kNone; i = work.symbols[i].next) {
    const Symbol& symbol = work.symbols[i];
    if (symbol.id != kNoToken) {
      ids.push_back(symbol.id);
    } else {
      spell(word.substr(symbol.begin, symbol.size), work, ids);
    }
  }
}

void SentencePieceBpe::split_into_symbols(std::string_view word, Workspace& work) const {
  work.symbols.clear();
  for (size_t begin = 0; begin < word.size();) {
    const auto size = static_cast<uint32_t>(std::max(1, utf8_sequence(word.substr(begin))));
    const auto found = normal_.find(word.substr(begin, size));
    const auto index = static_cast<int32_t>(work.symbols.size());
    work.symbols.push_back({static_cast<uint32_t>(begin), size, index - 1, index + 1,
                            found == normal_.end() ? kNoToken : found->second});
    begin += size;
  }
  work.symbols.back().next = kNone;
}

void SentencePieceBpe::propose_merge(std::string_view word, int32_t left, int32_t right,
                                     Workspace& work) const {
  if (left == kNone || right == kNone) return;
  const uint32_t size = work.symbols[left].size + work.symbols[right].size;
  if (size > longest_normal_) return;
  const auto found = normal_.find(word.substr(work.symbols[left].begin, size));
  if (found == normal_.end()) return;
  work.merges.push_back({vocabulary_->scores[found->second], left, right, size, found->second});
  std::push_heap(work.merges.begin(), work.merges.end());
}

void SentencePieceBpe::merge_symbols(std::string_view word, Workspace& work) const {
  work.merges.clear();
  for (int32_t i = 1; i < static_cast<int32_t>(work.symbols.size()); ++i) {
    propose_merge(word, i - 1, i, work);
  }
  while (!work.merges.empty()) {
    std::pop_heap(work.merges.begin(), work.merges.end());
    const Merge merge = work.merges.back();
    work.merges.pop_back();
    Symbol& left = work.symbols[merge.left];
    Symbol& right = work.symbols[merge.right];
    if (left.size == 0 || right.size == 0 || left.size + right.size != merge.size) continue;
    left.size = merge.size;
    left.id = merge.id;
    left.next = right.next;
    right.size = 0;
    if (left.next != kNone) work.symbols[left.next].previous = merge.left;
    propose_merge(word, left.previous, merge.left, work);
    propose_merge(word, merge.left, left.next, work);
  }
}

void SentencePieceBpe::spell(std::string_view symbol, const Workspace& work,
                             std::vector<uint32_t>& ids) const {
  if (spells_bytes_) {
    for (const char byte : symbol) ids.push_back(byte_ids_[static_cast<uint8_t>(byte)]);
    return;
  }
  // One unknown token for a run of unknown symbols, as SentencePiece has it.
  const bool continues = ids.size() > work.begin && ids.back() == *vocabulary_->unk;
  if (!continues) ids.push_back(*vocabulary_->unk);
}

}  // namespace nibble
