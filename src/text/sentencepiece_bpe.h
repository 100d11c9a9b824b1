// SentencePiece's BPE: of all pairs of neighbours the one that makes the token of the highest score
// (the leftmost of equals) is merged until none is left; what is no token is spelled in byte
// tokens, or becomes the unknown token. Spaces are kSpaceMark here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/vocabulary.h"

namespace nibble {

class SentencePieceBpe {
 public:
  // `vocabulary` must outlive the model and stay where it is.
  explicit SentencePieceBpe(const Vocabulary& vocabulary);

  // A piece of the text being merged; they are linked, so that a merge takes constant time.
  struct Symbol {
    uint32_t begin, size;  // bytes; size 0: merged into its left neighbour
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
  struct Workspace {
    std::vector<Symbol> symbols;
    std::vector<Merge> merges;  // a heap
    size_t begin = 0;           // of the text, in ids
  };

  // Appends the ids of a text. Time grows with n log n. Thread-safe.
  void encode(std::string_view text, Workspace& work, std::vector<uint32_t>& ids) const;

 private:
  void encode_word(std::string_view word, Workspace& work, std::vector<uint32_t>& ids) const;
  void split_into_symbols(std::string_view word, Workspace& work) const;
  void propose_merge(std::string_view word, int32_t left, int32_t right, Workspace& work) const;
  void merge_symbols(std::string_view word, Workspace& work) const;
  void spell(std::string_view symbol, const Workspace& work, std::vector<uint32_t>& ids) const;

  const Vocabulary* vocabulary_;
  std::unordered_map<std::string_view, uint32_t> normal_;  // what merging may make
  size_t longest_normal_ = 0;                              // bytes
  bool words_are_separate_ = true;  // no normal token has a space after a letter
  std::array<uint32_t, 256> byte_ids_{};
  bool spells_bytes_ = false;  // all 256 byte tokens are there
};

}  // namespace nibble
