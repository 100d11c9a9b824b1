// SentencePiece's compiled normalization rules ("precompiled_charsmap"): a little-endian u32 with
// the bytes of a double-array trie (darts-clone), the trie, then the replacements, each closed by a
// zero byte. Sources: sentencepiece's normalizer.cc, darts-clone's format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

class PrecompiledMap {
 public:
  // Error kInvalidFile, beginning with `origin`.
  PrecompiledMap(std::string_view bytes, const std::string& origin);

  // Replaces character sequences grapheme by grapheme, as Hugging Face's tokenizers do.
  std::string apply(std::string_view text) const;

 private:
  std::optional<std::string_view> find(std::string_view key) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

// RFC 4648; nullopt for what is none.
std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace nibble
