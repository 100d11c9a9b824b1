// WordPiece as BERT has it (Devlin et al. 2018, arXiv:1810.04805): the longest token that a word
// begins with, then the longest that continues it; a word that cannot be spelled is unknown as a
// whole. Tokens are written as GGUF has them: kSpaceMark begins a word, others continue one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/vocabulary.h"

namespace nibble {

class WordPieceModel {
 public:
  // `vocabulary` must outlive the model and stay where it is. Words of more characters than
  // `longest` are unknown. Error kInvalidFile.
  WordPieceModel(const Vocabulary& vocabulary, uint64_t longest, std::string_view origin);

  // Appends the ids of a word. Thread-safe.
  void encode(std::string_view word, std::vector<uint32_t>& ids) const;

 private:
  const Vocabulary* vocabulary_;
  uint64_t longest_;
  size_t longest_token_ = 0;  // bytes, without the mark
  std::unordered_map<std::string_view, uint32_t> beginning_, continuing_;
};

}  // namespace nibble
