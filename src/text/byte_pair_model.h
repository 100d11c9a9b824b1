// Byte-pair encoding by ranked merges (Sennrich et al. 2016, arXiv:1508.07909), as GPT-2 and most
// later models have it: the symbols of a piece, bytes or characters, are merged pair by pair, the
// lowest rank first and of equals the leftmost.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/pair_table.h"
#include "text/piece_cache.h"
#include "text/vocabulary.h"

namespace nibble {

struct BytePairOptions {
  bool is_byte_level = true;    // tokens are spelled in GPT-2's alphabet, symbols are bytes
  bool ignores_merges = false;  // a piece that is a token is taken as it is
  bool byte_fallback = false;   // a character that is no token becomes byte tokens "<0xNN>"
  bool fuses_unknown = false;   // several unknown characters become one unknown token
  std::optional<uint32_t> unknown = {};  // else what is no token is left out
  std::string continuing_prefix = {};    // before all symbols of a word but the first
  std::string word_suffix = {};          // after the last one
};

class BytePairModel {
 public:
  struct Merge {
    static constexpr uint32_t kNoRank = std::numeric_limits<uint32_t>::max();
    uint32_t rank = kNoRank;  // the lowest is merged first
    uint32_t id = 0;          // what the pair becomes
    bool is_none() const { return rank == kNoRank; }
  };

  // `vocabulary` must outlive the model and stay where it is. Errors: kInvalidFile for merges that
  // are none or whose tokens are missing.
  BytePairModel(const Vocabulary& vocabulary, BytePairOptions options, const std::string& origin);

  struct Workspace {
    std::vector<uint32_t> ids, next, previous;
    std::vector<Merge> merges;
    struct Candidate {
      uint32_t rank, place, left, right, id;
      bool operator<(const Candidate& other) const {  // heap order: the lowest rank on top
        return rank > other.rank || (rank == other.rank && place > other.place);
      }
    };
    std::vector<Candidate> heap;
    PieceCache cache;
  };

  // Appends the ids of a piece. Thread-safe.
  void encode(std::string_view piece, Workspace& work, std::vector<uint32_t>& ids) const;

 private:
  void read_tokens(const Vocabulary& vocabulary);
  void read_merges(const Vocabulary& vocabulary, const std::string& origin);
  std::optional<uint32_t> find(std::string_view text) const;
  void encode_anew(std::string_view piece, Workspace& work, std::vector<uint32_t>& ids) const;
  void split_into_symbols(std::string_view piece, Workspace& work) const;
  void add_unknown(std::string_view character, bool& after_unknown, Workspace& work) const;
  void merge_few(Workspace& work) const;
  void merge_many(Workspace& work) const;

  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  const Vocabulary* vocabulary_;
  BytePairOptions options_;
  std::vector<std::string> spelled_;  // bytes of the tokens, where these are spelled in letters
  std::unordered_map<std::string_view, uint32_t> tokens_;
  std::array<uint32_t, 256> bytes_{};  // symbols of bytes, or byte tokens
  bool symbols_are_bytes_ = false;     // each byte is a token, and nothing is added to it
  PairTable<Merge> merges_;
};

}  // namespace nibble
