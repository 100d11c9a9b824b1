#include "text/tokenizer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "text/unicode.h"

namespace nibble {
namespace {

constexpr uint32_t kNoToken = std::numeric_limits<uint32_t>::max();
constexpr int32_t kNone = -1;

// A piece of the word being merged; pieces are linked, so that a merge takes constant time.
struct Symbol {
  uint32_t begin, size;  // bytes of the word; size 0: merged into its left neighbour
  int32_t previous, next;
  uint32_t id;
};

struct Merge {
  float score;
  int32_t left, right;
  uint32_t size;  // of both when proposed: another size now means that one of them has changed
  uint32_t id;

  // Heap order: the highest score on top, of equals the leftmost.
  bool operator<(const Merge& other) const {
    return score < other.score || (score == other.score && left > other.left);
  }
};

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

struct Tokenizer::Workspace {
  std::vector<Symbol> symbols;
  std::vector<Merge> merges;  // a heap
  size_t fragment_begin = 0;  // in ids
};

Tokenizer::Tokenizer(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {
  check_vocabulary(vocabulary_, "vocabulary");
  build_tables();
}

void Tokenizer::build_tables() {
  byte_ids_.fill(kNoToken);
  normal_.reserve(vocabulary_.size());
  for (uint32_t id = 0; id < vocabulary_.size(); ++id) {
    const std::string_view text = vocabulary_.tokens[id];
    const TokenType type = vocabulary_.types[id];
    if (type == TokenType::kByte) {
      byte_ids_[*byte_of_token(text)] = id;
    } else if (type == TokenType::kNormal) {
      normal_.emplace(text, id);  // the first of several equal ones
      longest_normal_ = std::max(longest_normal_, text.size());
      words_are_separate_ = words_are_separate_ && !has_inner_space(text);
    } else if (type != TokenType::kUnused && !text.empty()) {
      special_[static_cast<uint8_t>(text[0])].push_back(id);
    }
  }
  spells_bytes_ = std::ranges::count(byte_ids_, kNoToken) == 0;
  for (std::vector<uint32_t>& ids : special_) {
    std::ranges::stable_sort(ids, std::ranges::greater(),
                             [&](uint32_t id) { return vocabulary_.tokens[id].size(); });
  }
}

std::vector<uint32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() > kMaxTextBytes) {
    fail(ErrorCode::kUsage,
         "a text of {} bytes cannot be tokenized at once (the limit is {}); "
         "split it",
         text.size(), kMaxTextBytes);
  }
  std::vector<uint32_t> ids;
  Workspace work;
  if (options.add_special && vocabulary_.add_bos) ids.push_back(*vocabulary_.bos);
  bool prefix = true;  // at the start and after every special token
  size_t begin = 0;
  const auto flush = [&](size_t end) {
    if (end == begin) return;
    encode_fragment(text.substr(begin, end - begin), prefix, work, ids);
    prefix = false;
  };
  for (size_t place = 0; place < text.size();) {
    const Match match = match_special(text.substr(place), options.parse_special);
    if (match.length == 0) {
      ++place;
      continue;
    }
    flush(place);
    ids.push_back(match.id);
    prefix = true;
    begin = place += match.length;
  }
  flush(text.size());
  if (options.add_special && vocabulary_.add_eos) ids.push_back(*vocabulary_.eos);
  return ids;
}

Tokenizer::Match Tokenizer::match_special(std::string_view text, bool parse_special) const {
  for (const uint32_t id : special_[static_cast<uint8_t>(text[0])]) {
    if (!parse_special && vocabulary_.types[id] != TokenType::kUserDefined) continue;
    if (text.starts_with(vocabulary_.tokens[id])) return {id, vocabulary_.tokens[id].size()};
  }
  return {kNoToken, 0};
}

void Tokenizer::encode_fragment(std::string_view text, bool prefix, Workspace& work,
                                std::vector<uint32_t>& ids) const {
  std::string marked = mark_spaces(text);
  if (prefix && vocabulary_.add_space_prefix) marked.insert(0, kSpaceMark);
  work.fragment_begin = ids.size();
  for (std::string_view rest = marked; !rest.empty();) {
    const size_t length = words_are_separate_ ? word_length(rest) : rest.size();
    encode_word(rest.substr(0, length), work, ids);
    rest.remove_prefix(length);
  }
}

void Tokenizer::encode_word(std::string_view word, Workspace& work,
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

void Tokenizer::split_into_symbols(std::string_view word, Workspace& work) const {
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

void Tokenizer::propose_merge(std::string_view word, int32_t left, int32_t right,
                              Workspace& work) const {
  if (left == kNone || right == kNone) return;
  const uint32_t size = work.symbols[left].size + work.symbols[right].size;
  if (size > longest_normal_) return;
  const auto found = normal_.find(word.substr(work.symbols[left].begin, size));
  if (found == normal_.end()) return;
  work.merges.push_back({vocabulary_.scores[found->second], left, right, size, found->second});
  std::push_heap(work.merges.begin(), work.merges.end());
}

void Tokenizer::merge_symbols(std::string_view word, Workspace& work) const {
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

void Tokenizer::spell(std::string_view symbol, const Workspace& work,
                      std::vector<uint32_t>& ids) const {
  if (spells_bytes_) {
    for (const char byte : symbol) ids.push_back(byte_ids_[static_cast<uint8_t>(byte)]);
    return;
  }
  // One unknown token for a run of unknown symbols, as SentencePiece has it.
  const bool continues = ids.size() > work.fragment_begin && ids.back() == *vocabulary_.unk;
  if (!continues) ids.push_back(*vocabulary_.unk);
}

std::string Tokenizer::decode(std::span<const uint32_t> ids, const DecodeOptions& options) const {
  std::string text;
  bool is_start = options.is_start;
  for (const uint32_t id : ids) append_text(id, options.special, is_start, text);
  return text;
}

std::string Tokenizer::piece(uint32_t id) const {
  std::string text;
  bool is_start = false;
  append_text(id, true, is_start, text);
  return text;
}

void Tokenizer::append_text(uint32_t id, bool special, bool& is_start, std::string& text) const {
  if (id >= vocabulary_.size()) {
    fail(ErrorCode::kUsage, "token id {} is outside the vocabulary of {} tokens", id,
         vocabulary_.size());
  }
  const std::string_view token = vocabulary_.tokens[id];
  switch (vocabulary_.types[id]) {
    case TokenType::kNormal: {
      const bool drops_space =
          is_start && vocabulary_.add_space_prefix && token.starts_with(kSpaceMark);
      text += unmark_spaces(token.substr(drops_space ? kSpaceMark.size() : 0));
      break;
    }
    case TokenType::kByte:
      text += static_cast<char>(*byte_of_token(token));
      break;
    case TokenType::kUserDefined:
      text += token;
      break;
    case TokenType::kControl:
    case TokenType::kUnknown:
    case TokenType::kUnused:
      if (special) text += token;
      break;
  }
  // encode puts a prefix space after every special token, so that is where one is removed.
  const TokenType type = vocabulary_.types[id];
  is_start = type == TokenType::kControl || type == TokenType::kUserDefined ||
             (is_start && type == TokenType::kUnused);
}

}  // namespace nibble
