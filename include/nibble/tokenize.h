// A model's tokenizer by itself: text to tokens and back, without its weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

struct TokenizeOptions {
  bool add_special = true;    // what the model wants around a text, such as its BOS token
  bool parse_special = true;  // "<|im_end|>" written in the text is that token, not its letters
};

class ModelTokenizer {
 public:
  // A Hugging Face directory, of which only the tokenizer's files are read; a GGUF, which may hold
  // a vocabulary and nothing else; a tokenizer.json or tokenizer.model by its own path. Errors:
  // kNotFound; kUnsupported, naming it, for a part of a tokenizer that this version does not know;
  // kInvalidFile.
  explicit ModelTokenizer(const std::filesystem::path& path);
  ~ModelTokenizer();
  ModelTokenizer(ModelTokenizer&&) noexcept;
  ModelTokenizer& operator=(ModelTokenizer&&) noexcept;

  size_t size() const;  // tokens of the vocabulary

  // Thread-safe. Error kUsage for texts of more than 512 MiB.
  std::vector<uint32_t> encode(std::string_view text, const TokenizeOptions& options = {}) const;

  // Of one token, of several. Bytes are as they are: a token may end within a character. Error
  // kUsage for an id that is not in the vocabulary.
  std::string piece(uint32_t id) const;
  std::string decode(const std::vector<uint32_t>& ids) const;

  struct Parts;  // what the library itself works with
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<const Parts> parts_;
};

}  // namespace nibble
