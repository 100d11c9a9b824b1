// SentencePiece's unigram model (Kudo 2018, arXiv:1804.10959): of all ways to cut a piece into
// tokens the one with the highest sum of their scores, which are logarithms of probabilities.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/token_trie.h"
#include "text/vocabulary.h"

namespace nibble {

class UnigramModel {
 public:
  // `vocabulary` must outlive the model and stay where it is; it has an unknown token, or byte
  // tokens. `byte_fallback`: what is no token becomes byte tokens where all of them are there.
  // Error kInvalidFile.
  UnigramModel(const Vocabulary& vocabulary, bool byte_fallback, std::string_view origin);

  struct Workspace {
    struct Best {
      double score = 0;
      uint32_t begin = 0;
      uint32_t id = 0;
      bool is_reached = false;
    };
    bool control = true;     // whether the text may hold control tokens
    std::vector<Best> best;  // of what ends at each byte
    std::vector<uint32_t> ends;
  };

  // Appends the ids of a piece. Thread-safe.
  void encode(std::string_view piece, Workspace& work, std::vector<uint32_t>& ids) const;

 private:
  void find_best(std::string_view piece, Workspace& work) const;
  void add_unknown(std::string_view text, std::vector<uint32_t>& ids) const;

  static constexpr uint32_t kNone = TokenTrie::kNone;
  const Vocabulary* vocabulary_;
  TokenTrie trie_;
  std::vector<double> scores_;
  double unknown_score_ = 0;
  bool spells_bytes_ = false;
  std::array<uint32_t, 256> bytes_{};
};

}  // namespace nibble
