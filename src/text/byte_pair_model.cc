#include "text/byte_pair_model.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace nibble {
namespace {

// Up to so many symbols looking at all of them costs less than a heap.
constexpr size_t kFewSymbols = 64;

}  // namespace

BytePairModel::BytePairModel(const Vocabulary& vocabulary, BytePairOptions options,
                             const std::string& origin)
    : vocabulary_(&vocabulary), options_(std::move(options)), merges_(vocabulary.merges.size()) {
  read_tokens(vocabulary);
  read_merges(vocabulary, origin);
}

void BytePairModel::read_tokens(const Vocabulary& vocabulary) {
  bytes_.fill(kNone);
  tokens_.reserve(vocabulary.size());
  if (options_.is_byte_level) spelled_.resize(vocabulary.size());
  for (uint32_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.types[id] == TokenType::kUnused) continue;
    std::string_view text = vocabulary.tokens[id];
    if (options_.is_byte_level) {
      auto bytes = bytes_of_letters(text);
      if (!bytes) continue;
      text = spelled_[id] = std::move(*bytes);
      if (text.size() == 1) bytes_[static_cast<uint8_t>(text[0])] = id;
    } else if (const auto byte = byte_of_token(text)) {
      bytes_[*byte] = id;
    }
    tokens_.emplace(text, id);
  }
  symbols_are_bytes_ = options_.is_byte_level && std::ranges::count(bytes_, kNone) == 0 &&
                       options_.continuing_prefix.empty() && options_.word_suffix.empty();
}

void BytePairModel::read_merges(const Vocabulary& vocabulary, const std::string& origin) {
  std::string left, right, made;
  for (uint32_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const std::string_view merge = vocabulary.merges[rank];
    // A token may contain spaces; the two are told apart by the first that comes after something.
    const size_t space = merge.find(' ', 1);
    if (merge.empty() || space == merge.npos || space + 1 == merge.size()) {
      fail(ErrorCode::kInvalidFile, "{}: merge {}: found \"{}\", expected two tokens", origin, rank,
           merge);
    }
    left = merge.substr(0, space);
    right = merge.substr(space + 1);
    if (options_.is_byte_level) {
      left = bytes_of_letters(left).value_or("");
      right = bytes_of_letters(right).value_or("");
    }
    const std::string_view continued =
        std::string_view(right).starts_with(options_.continuing_prefix)
            ? std::string_view(right).substr(options_.continuing_prefix.size())
            : std::string_view(right);
    made.assign(left).append(continued);
    const auto left_id = find(left);
    const auto right_id = find(right);
    const auto made_id = find(made);
    if (!left_id || !right_id || !made_id) {
      fail(ErrorCode::kInvalidFile,
           "{}: merge {}: \"{}\" takes or makes a token that the vocabulary lacks", origin, rank,
           merge);
    }
    merges_.insert(*left_id, *right_id, {rank, *made_id});
  }
}

std::optional<uint32_t> BytePairModel::find(std::string_view text) const {
  const auto found = tokens_.find(text);
  if (found == tokens_.end()) return std::nullopt;
  return found->second;
}

void BytePairModel::encode(std::string_view piece, Workspace& work,
                           std::vector<uint32_t>& ids) const {
  PieceCache::Entry* entry = work.cache.find(piece);
  if (entry != nullptr && entry->holds(piece)) {
    ids.insert(ids.end(), entry->ids.begin(), entry->ids.begin() + entry->count);
    return;
  }
  const size_t begin = ids.size();
  encode_anew(piece, work, ids);
  if (entry != nullptr) entry->store(piece, std::span(ids).subspan(begin));
}

void BytePairModel::encode_anew(std::string_view piece, Workspace& work,
                                std::vector<uint32_t>& ids) const {
  if (options_.ignores_merges) {
    const auto whole = find(piece);
    if (whole && vocabulary_->types[*whole] != TokenType::kControl) {
      ids.push_back(*whole);
      return;
    }
  }
  split_into_symbols(piece, work);
  if (work.ids.size() > 1) work.ids.size() <= kFewSymbols ? merge_few(work) : merge_many(work);
  ids.insert(ids.end(), work.ids.begin(), work.ids.end());
}

void BytePairModel::split_into_symbols(std::string_view piece, Workspace& work) const {
  work.ids.clear();
  bool after_unknown = false;
  if (symbols_are_bytes_) {
    for (const char byte : piece) work.ids.push_back(bytes_[static_cast<uint8_t>(byte)]);
    return;
  }
  std::string marked;
  for (size_t begin = 0, size = 0; begin < piece.size(); begin += size) {
    size = options_.is_byte_level
               ? 1
               : static_cast<size_t>(std::max(1, utf8_sequence(piece.substr(begin))));
    const std::string_view character = piece.substr(begin, size);
    const bool is_last = begin + size == piece.size();
    std::optional<uint32_t> id;
    if ((options_.continuing_prefix.empty() || begin == 0) &&
        (options_.word_suffix.empty() || !is_last)) {
      id = find(character);
    } else {
      marked.assign(begin == 0 ? "" : options_.continuing_prefix).append(character);
      if (is_last) marked += options_.word_suffix;
      id = find(marked);
    }
    if (id) {
      work.ids.push_back(*id);
      after_unknown = false;
    } else {
      add_unknown(character, after_unknown, work);
    }
  }
}

void BytePairModel::add_unknown(std::string_view character, bool& after_unknown,
                                Workspace& work) const {
  const auto byte_id = [&](char byte) { return bytes_[static_cast<uint8_t>(byte)]; };
  if (options_.byte_fallback &&
      std::ranges::none_of(character, [&](char byte) { return byte_id(byte) == kNone; })) {
    for (const char byte : character) work.ids.push_back(byte_id(byte));
    after_unknown = false;
  } else if (options_.unknown) {
    if (!after_unknown || !options_.fuses_unknown) work.ids.push_back(*options_.unknown);
    after_unknown = true;
  }
}

void BytePairModel::merge_few(Workspace& work) const {
  auto& ids = work.ids;
  auto& merges = work.merges;
  merges.clear();
  for (size_t i = 0; i + 1 < ids.size(); ++i) merges.push_back(merges_.find(ids[i], ids[i + 1]));
  while (!merges.empty()) {
    const auto best = std::ranges::min_element(merges, {}, &Merge::rank);
    if (best->rank == Merge::kNoRank) return;
    const auto i = static_cast<size_t>(best - merges.begin());
    ids[i] = best->id;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(i) + 1);
    merges.erase(best);
    if (i > 0) merges[i - 1] = merges_.find(ids[i - 1], ids[i]);
    if (i < merges.size()) merges[i] = merges_.find(ids[i], ids[i + 1]);
  }
}

void BytePairModel::merge_many(Workspace& work) const {
  auto& ids = work.ids;
  const auto count = static_cast<uint32_t>(ids.size());
  work.next.resize(count);
  work.previous.resize(count);
  work.heap.clear();
  const auto propose = [&](uint32_t left, uint32_t right) {
    if (left == kNone || right == kNone) return;
    const Merge merge = merges_.find(ids[left], ids[right]);
    if (merge.rank == Merge::kNoRank) return;
    work.heap.push_back({merge.rank, left, ids[left], ids[right], merge.id});
    std::push_heap(work.heap.begin(), work.heap.end());
  };
  for (uint32_t i = 0; i < count; ++i) {
    work.next[i] = i + 1 < count ? i + 1 : kNone;
    work.previous[i] = i > 0 ? i - 1 : kNone;
    if (i > 0) propose(i - 1, i);
  }
  while (!work.heap.empty()) {
    std::pop_heap(work.heap.begin(), work.heap.end());
    const Workspace::Candidate merge = work.heap.back();
    work.heap.pop_back();
    const uint32_t left = merge.place;
    const uint32_t right = work.next[left];
    // Either may have been merged with another neighbour since.
    if (ids[left] != merge.left || right == kNone || ids[right] != merge.right) continue;
    ids[left] = merge.id;
    ids[right] = kNone;
    work.next[left] = work.next[right];
    if (work.next[left] != kNone) work.previous[work.next[left]] = left;
    propose(work.previous[left], left);
    propose(left, work.next[left]);
  }
  std::erase(ids, kNone);
}

}  // namespace nibble
