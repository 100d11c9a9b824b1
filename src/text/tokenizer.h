// Text to token ids and back. A text goes through the stages of Hugging Face's tokenizers: tokens
// that are matched as a whole, normalizer, pre-tokenizer, model; what these are says the
// vocabulary's definition (text/definition.h).
//
// Without one, "llama" is SentencePiece's BPE without its normalizer rules, which llama.cpp and
// Hugging Face's Llama tokenizers leave out too.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
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
  // Errors: kInvalidFile when check_vocabulary refuses it, and for a definition that is none;
  // kUnsupported for parts of tokenizers that are not known. Their messages begin with `origin`.
  explicit Tokenizer(Vocabulary vocabulary, const std::string& origin = "tokenizer");
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  const Vocabulary& vocabulary() const;

  // Bytes that are not UTF-8 are spelled as bytes where the vocabulary can. User-defined tokens are
  // always matched as a whole, control tokens with parse_special; the leftmost match counts, of
  // these the longest. Time grows with n log n. Thread-safe. Errors: kUsage above kMaxTextBytes;
  // kInvalidFile when a pattern of the pre-tokenizer exceeds its limits.
  std::vector<uint32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  static constexpr size_t kMaxTextBytes = size_t{1} << 29;

  // decode(encode(x)) == x for every x that has no kSpaceMark, if nothing in it is unknown and the
  // vocabulary's normalizer leaves it as it is. Error kUsage for an id that is not in the
  // vocabulary.
  std::string decode(std::span<const uint32_t> ids, const DecodeOptions& options = {}) const;

  // The text of one token, with its space; control tokens as they are written; bytes raw.
  std::string piece(uint32_t id) const;

  // One step of decode: appends the text of `id`. `is_start` says whether a prefix space is to be
  // removed, and is set for the next id.
  void append_text(uint32_t id, bool special, bool& is_start, std::string& text) const;

 private:
  struct Parts;
  struct Workspace;

  void encode_matched(std::string_view text, bool is_first, bool control, Workspace& work,
                      std::vector<uint32_t>& ids) const;
  void encode_fragment(std::string_view text, bool is_first, bool control, Workspace& work,
                       std::vector<uint32_t>& ids) const;
  void encode_pieces(std::string_view text, bool is_first, Workspace& work,
                     std::vector<uint32_t>& ids) const;

  std::unique_ptr<const Parts> parts_;
};

}  // namespace nibble
