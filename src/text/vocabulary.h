// The vocabulary of a tokenizer: what GGUF stores under tokenizer.ggml.* and what every kind of
// tokenizer file is read into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"

namespace nibble {

// The numbers are those of SentencePiece's ModelProto, which GGUF took over.
enum class TokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,      // stands for what the vocabulary cannot spell
  kControl = 3,      // <s>, </s>, ...: never made from text unless special tokens are parsed
  kUserDefined = 4,  // always matched as a whole
  kUnused = 5,       // fills the vocabulary up to the embedding's rows
  kByte = 6,         // "<0xNN>"
};

struct Vocabulary {
  // "llama" (SentencePiece's BPE), "gpt2" (byte-level BPE), "t5" (SentencePiece's unigram), "bert"
  // (WordPiece): how the tokens are spelled, and what encodes unless `definition` says otherwise.
  std::string model = "llama";
  std::string pre = "default";      // llama.cpp's name of the pre-tokenizer (text/pre_names.h)
  std::vector<std::string> tokens;  // in "llama" and "t5" kSpaceMark stands for a space, in "gpt2"
                                    // letters for bytes, in "bert" kSpaceMark begins a word
  std::vector<float> scores;        // "llama": the highest is merged first; "t5": log probability
  // "t5": the scores in full where they do not follow from `scores` (text/exact_scores.h).
  std::vector<double> exact_scores;
  std::vector<TokenType> types;
  std::vector<std::string> merges;  // "left right", the best first, where merges are ranked
  std::optional<uint32_t> bos, eos, unk, pad, sep, cls, mask, eot;
  bool add_bos = true;
  bool add_eos = false;
  bool add_space_prefix = true;  // a space goes before the text
  std::string chat_template;     // Jinja; empty: none
  // What a tokenizer.json says beside its tokens, as JSON (text/definition.h); empty: what follows
  // from `model` and `pre`.
  std::string definition;

  size_t size() const { return tokens.size(); }
};

inline constexpr std::string_view kSpaceMark = "\u2581";
std::string mark_spaces(std::string_view text);     // " " to kSpaceMark
std::string unmark_spaces(std::string_view token);  // kSpaceMark to " "

// No vocabulary in use comes near (the largest known have a quarter of a million); the bound keeps
// a damaged count from exhausting the memory.
inline constexpr uint64_t kMaxVocabularySize = 1u << 22;

// The byte that "<0xNN>" names; nullopt for any other text.
std::optional<uint8_t> byte_of_token(std::string_view text);

// Reads tokenizer.ggml.*, tokenizer.chat_template and nibble.tokenizer (the definition); absent
// fields get llama.cpp's defaults for the model. Errors: kUnsupported for another tokenizer model,
// else kInvalidFile.
Vocabulary vocabulary_from_metadata(const Metadata& metadata);

// Writes the keys that llama.cpp's converter writes, in its order, and the definition where there
// is one.
void add_vocabulary(const Vocabulary& vocabulary, Metadata& metadata);

// What every source of a vocabulary must satisfy: arrays of one length, ids in range, finite
// scores, byte tokens that name bytes, and a way to spell any text. Error kInvalidFile, its message
// beginning with `origin`.
void check_vocabulary(const Vocabulary& vocabulary, std::string_view origin);

}  // namespace nibble
