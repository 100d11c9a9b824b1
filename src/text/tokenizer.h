// Text to token ids and back, by SentencePiece's BPE: spaces become kSpaceMark, then the pair of
// neighbours that makes the token of the highest score (the leftmost of equals) is merged until
// none is left; what is no token is spelled in byte tokens, or becomes the unknown token.
//
// The ids are those of SentencePiece without its normalizer rules, which llama.cpp and Hugging
// Face's Llama tokenizers leave out too.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/vocabulary.h"

namespace nibble {

struct EncodeOptions {
  bool add_special = true;     // BOS and EOS as the vocabulary wants them
  bool parse_special = false;  // control tokens written in the text ("</s>") become their ids
};

struct DecodeOptions {
  bool special = false;  // write control tokens out; else they leave no text
  bool is_start = true;  // the first id begins a text (its prefix space goes), or continues one
};

class Tokenizer {
 public:
  // Error kInvalidFile when check_vocabulary refuses it.
  explicit Tokenizer(Vocabulary vocabulary);
  Tokenizer(Tokenizer&&) = default;  // not copyable: the tables point into the vocabulary
  Tokenizer& operator=(Tokenizer&&) = default;

  const Vocabulary& vocabulary() const { return vocabulary_; }

  // Bytes that are not UTF-8 are spelled as bytes. User-defined tokens are always matched as a
  // whole, control tokens with parse_special; the leftmost match counts, of these the longest. Time
  // grows with n log n. Thread-safe. Error kUsage above kMaxTextBytes.
  std::vector<uint32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  static constexpr size_t kMaxTextBytes = size_t{1} << 29;

  // decode(encode(x)) == x for every x that has no kSpaceMark, if nothing in it is unknown. Error
  // kUsage for an id that is not in the vocabulary.
  std::string decode(std::span<const uint32_t> ids, const DecodeOptions& options = {}) const;

  // The text of one token, with its space; control tokens as they are written; bytes raw.
  std::string piece(uint32_t id) const;

  // One step of decode: appends the text of `id`. `is_start` says whether a prefix space is to be
  // removed, and is set for the next id.
  void append_text(uint32_t id, bool special, bool& is_start, std::string& text) const;

 private:
  struct Match {
    uint32_t id;
    size_t length;  // 0: none
  };
  struct Workspace;

  void build_tables();
  Match match_special(std::string_view text, bool parse_special) const;
  void encode_fragment(std::string_view text, bool prefix, Workspace& work,
                       std::vector<uint32_t>& ids) const;
  void encode_word(std::string_view word, Workspace& work, std::vector<uint32_t>& ids) const;
  void split_into_symbols(std::string_view word, Workspace& work) const;
  void propose_merge(std::string_view word, int32_t left, int32_t right, Workspace& work) const;
  void merge_symbols(std::string_view word, Workspace& work) const;
  void spell(std::string_view symbol, const Workspace& work, std::vector<uint32_t>& ids) const;

  Vocabulary vocabulary_;
  std::unordered_map<std::string_view, uint32_t> normal_;  // what merging may make
  size_t longest_normal_ = 0;                              // bytes
  bool words_are_separate_ = true;                  // no normal token has a space after a letter
  std::array<std::vector<uint32_t>, 256> special_;  // by first byte, longest first
  std::array<uint32_t, 256> byte_ids_{};
  bool spells_bytes_ = false;  // all 256 byte tokens are there
};

}  // namespace nibble
