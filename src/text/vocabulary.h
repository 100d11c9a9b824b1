// The vocabulary of a tokenizer: what GGUF stores under tokenizer.ggml.* and what every kind of
// tokenizer file is read into. This version knows SentencePiece BPE (Kudo and Richardson 2018,
// arXiv:1808.06226), which GGUF calls "llama".
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
  std::string model = "llama";
  std::string pre = "default";
  std::vector<std::string> tokens;  // "\u2581" (kSpaceMark) stands for a space
  std::vector<float> scores;        // the highest is merged first
  std::vector<TokenType> types;
  std::optional<uint32_t> bos, eos, unk, pad;
  bool add_bos = true;
  bool add_eos = false;
  bool add_space_prefix = true;  // a space goes before the text
  std::string chat_template;     // Jinja; empty: none

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

// Reads tokenizer.ggml.* and tokenizer.chat_template; absent fields get llama.cpp's defaults for
// the model "llama" (bos 1, eos 2, unk 0, add_bos, not add_eos, add_space_prefix). Errors:
// kUnsupported for another tokenizer model, else kInvalidFile.
Vocabulary vocabulary_from_metadata(const Metadata& metadata);

// Writes the keys that llama.cpp's converter writes for a Llama model, in its order.
void add_vocabulary(const Vocabulary& vocabulary, Metadata& metadata);

// What every source of a vocabulary must satisfy: arrays of one length, ids in range, finite
// scores, byte tokens that name bytes, and a way to spell any text. Error kInvalidFile, its message
// beginning with `origin`.
void check_vocabulary(const Vocabulary& vocabulary, std::string_view origin);

}  // namespace nibble
