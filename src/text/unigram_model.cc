#include "text/unigram_model.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "text/exact_scores.h"
#include "text/unicode.h"

namespace nibble {
namespace {

// How much less likely than the least likely token an unknown character is (SentencePiece's
// kUnkPenalty).
constexpr double kUnknownPenalty = 10.0;

}  // namespace

UnigramModel::UnigramModel(const Vocabulary& vocabulary, bool byte_fallback,
                           std::string_view origin)
    : vocabulary_(&vocabulary), scores_(scores_of(vocabulary)) {
  bytes_.fill(kNone);
  std::vector<std::string_view> tokens(vocabulary.size());
  double least = std::numeric_limits<double>::infinity();
  for (uint32_t id = 0; id < vocabulary.size(); ++id) {
    const TokenType type = vocabulary.types[id];
    if (type == TokenType::kUnused) continue;
    if (type == TokenType::kByte) bytes_[*byte_of_token(vocabulary.tokens[id])] = id;
    tokens[id] = vocabulary.tokens[id];
    least = std::min(least, scores_[id]);
  }
  trie_ = TokenTrie(tokens);
  unknown_score_ = least - kUnknownPenalty;
  spells_bytes_ = byte_fallback && std::ranges::count(bytes_, kNone) == 0;
  if (!spells_bytes_ && !vocabulary.unk) {
    fail(ErrorCode::kInvalidFile,
         "{}: found neither an unknown token nor 256 byte tokens: there is no way to spell every "
         "text",
         origin);
  }
}

void UnigramModel::encode(std::string_view piece, Workspace& work,
                          std::vector<uint32_t>& ids) const {
  if (piece.empty()) return;
  find_best(piece, work);
  work.ends.clear();
  for (auto end = static_cast<uint32_t>(piece.size()); end > 0; end = work.best[end].begin)
    work.ends.push_back(end);
  size_t unknown = piece.npos;  // where a run of unknown characters begins
  const auto flush = [&](size_t end) {
    if (unknown != piece.npos) add_unknown(piece.substr(unknown, end - unknown), ids);
    unknown = piece.npos;
  };
  for (auto end = work.ends.rbegin(); end != work.ends.rend(); ++end) {
    const Workspace::Best& best = work.best[*end];
    if (best.id == kNone || best.id == vocabulary_->unk) {
      unknown = std::min<size_t>(unknown, best.begin);
    } else {
      flush(best.begin);
      ids.push_back(best.id);
    }
  }
  flush(piece.size());
}

void UnigramModel::find_best(std::string_view piece, Workspace& work) const {
  work.best.assign(piece.size() + 1, {});
  work.best[0].is_reached = true;
  const auto propose = [&](size_t begin, size_t end, uint32_t id, double score) {
    Workspace::Best& best = work.best[end];
    score += work.best[begin].score;
    if (best.is_reached && score <= best.score) return;
    best = {score, static_cast<uint32_t>(begin), id, true};
  };
  for (size_t begin = 0; begin < piece.size();) {
    const auto character = static_cast<size_t>(std::max(1, utf8_sequence(piece.substr(begin))));
    bool has_character = false;
    trie_.for_each_prefix(piece.substr(begin), [&](uint32_t id, size_t bytes) {
      if (!work.control && vocabulary_->types[id] == TokenType::kControl) return;
      has_character = has_character || bytes == character;
      propose(begin, begin + bytes, id, scores_[id]);
    });
    if (!has_character) propose(begin, begin + character, kNone, unknown_score_);
    begin += character;
  }
}

void UnigramModel::add_unknown(std::string_view text, std::vector<uint32_t>& ids) const {
  const bool is_written = vocabulary_->unk && text == vocabulary_->tokens[*vocabulary_->unk];
  if (!spells_bytes_ || is_written) return ids.push_back(*vocabulary_->unk);
  for (const char byte : text) ids.push_back(bytes_[static_cast<uint8_t>(byte)]);
}

}  // namespace nibble
