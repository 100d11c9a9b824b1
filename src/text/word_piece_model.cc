#include "text/word_piece_model.h"

#include <algorithm>

#include "base/error.h"

namespace nibble {
namespace {

bool begins_character(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) != 0x80; }

}  // namespace

WordPieceModel::WordPieceModel(const Vocabulary& vocabulary, uint64_t longest,
                               std::string_view origin)
    : vocabulary_(&vocabulary), longest_(longest) {
  if (!vocabulary.unk) fail(ErrorCode::kInvalidFile, "{}: found no unknown token", origin);
  for (uint32_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.types[id] == TokenType::kUnused) continue;
    std::string_view text = vocabulary.tokens[id];
    // The mark alone continues a word: a word cannot begin with nothing.
    const bool begins = text.starts_with(kSpaceMark) && text != kSpaceMark;
    if (begins) text.remove_prefix(kSpaceMark.size());
    if (text.empty()) continue;
    (begins ? beginning_ : continuing_).emplace(text, id);
    longest_token_ = std::max(longest_token_, text.size());
  }
}

void WordPieceModel::encode(std::string_view word, std::vector<uint32_t>& ids) const {
  const size_t first = ids.size();
  const auto give_up = [&] {
    ids.resize(first);
    ids.push_back(*vocabulary_->unk);
  };
  const auto characters = std::ranges::count_if(word, begins_character);
  if (static_cast<uint64_t>(characters) > longest_) return give_up();
  for (size_t begin = 0; begin < word.size();) {
    const auto& tokens = begin == 0 ? beginning_ : continuing_;
    size_t size = std::min(word.size() - begin, longest_token_);
    auto found = tokens.end();
    for (; size > 0; --size) {
      const size_t end = begin + size;
      if (end < word.size() && !begins_character(word[end])) continue;
      found = tokens.find(word.substr(begin, size));
      if (found != tokens.end()) break;
    }
    if (size == 0) return give_up();
    ids.push_back(found->second);
    begin += size;
  }
}

}  // namespace nibble
