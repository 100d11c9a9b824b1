#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/encoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_matcher.h"
#include "text/tokenizer_parts.h"
#include "text/unicode.h"

namespace nibble {
namespace {

// The bytes at the front of `text` that are UTF-8, and those behind them that are not.
struct Stretch {
  std::string_view valid, invalid;
};

Stretch next_stretch(std::string_view text) {
  size_t valid = 0;
  for (int length; valid < text.size() && (length = utf8_sequence(text.substr(valid))) > 0;)
    valid += static_cast<size_t>(length);
  size_t end = valid;
  while (end < text.size() && utf8_sequence(text.substr(end)) <= 0) ++end;
  return {text.substr(0, valid), text.substr(valid, end - valid)};
}

}  // namespace

struct Tokenizer::Parts : TokenizerParts {
  using TokenizerParts::TokenizerParts;
};

struct Tokenizer::Workspace {
  PreTokenizer::Scratch pieces;
  EncoderWorkspace encoder;
};

Tokenizer::Tokenizer(Vocabulary vocabulary, const std::string& origin)
    : parts_(std::make_unique<const Parts>(std::move(vocabulary), origin)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

const Vocabulary& Tokenizer::vocabulary() const { return parts_->vocabulary; }

std::vector<uint32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() > kMaxTextBytes) {
    fail(ErrorCode::kUsage,
         "a text of {} bytes cannot be tokenized at once (the limit is {}); "
         "split it",
         text.size(), kMaxTextBytes);
  }
  std::vector<uint32_t> ids;
  Workspace work;
  work.encoder.prepare(text.size());
  work.encoder.unigram.control = options.parse_special;
  if (options.add_special) ids = parts_->prefix;
  if (!parts_->needs_utf8) {
    encode_matched(text, true, options.parse_special, work, ids);
  } else {
    for (std::string_view rest = text; !rest.empty();) {
      const Stretch stretch = next_stretch(rest);
      const bool is_first = rest.size() == text.size();
      encode_matched(stretch.valid, is_first, options.parse_special, work, ids);
      if (!stretch.invalid.empty()) parts_->encoder.encode(stretch.invalid, work.encoder, ids);
      rest.remove_prefix(stretch.valid.size() + stretch.invalid.size());
    }
  }
  if (options.add_special) ids.insert(ids.end(), parts_->suffix.begin(), parts_->suffix.end());
  return ids;
}

// Tokens that are looked for in the text as it comes.
void Tokenizer::encode_matched(std::string_view text, bool is_first, bool control, Workspace& work,
                               std::vector<uint32_t>& ids) const {
  const char* begin = text.data();
  parts_->raw_tokens.split(
      text, control,
      [&](std::string_view part) {
        encode_fragment(part, is_first && part.data() == begin, control, work, ids);
      },
      [&](uint32_t id) { ids.push_back(id); });
}

// Tokens that are looked for in the normalized text.
void Tokenizer::encode_fragment(std::string_view text, bool is_first, bool control, Workspace& work,
                                std::vector<uint32_t>& ids) const {
  std::string normalized;
  if (!parts_->normalizer.is_empty()) {
    normalized = parts_->normalizer.apply(text, work.pieces.regex);
    text = normalized;
  }
  if (parts_->normalized_tokens.is_empty()) return encode_pieces(text, is_first, work, ids);
  const char* begin = text.data();
  parts_->normalized_tokens.split(
      text, control,
      [&](std::string_view part) {
        encode_pieces(part, is_first && part.data() == begin, work, ids);
      },
      [&](uint32_t id) { ids.push_back(id); });
}

void Tokenizer::encode_pieces(std::string_view text, bool is_first, Workspace& work,
                              std::vector<uint32_t>& ids) const {
  for (const std::string_view piece : parts_->pre_tokenizer.split(text, is_first, work.pieces))
    parts_->encoder.encode(piece, work.encoder, ids);
}

std::string Tokenizer::decode(std::span<const uint32_t> ids, const DecodeOptions& options) const {
  std::string text;
  bool is_start = options.is_start;
  for (const uint32_t id : ids) append_text(id, options.special, is_start, text);
  return text;
}

std::string Tokenizer::piece(uint32_t id) const {
  std::string text;
  bool is_start = false;
  append_text(id, true, is_start, text);
  return text;
}

void Tokenizer::append_text(uint32_t id, bool special, bool& is_start, std::string& text) const {
  const Vocabulary& vocabulary = parts_->vocabulary;
  if (id >= vocabulary.size()) {
    fail(ErrorCode::kUsage, "token id {} is outside the vocabulary of {} tokens", id,
         vocabulary.size());
  }
  const TokenType type = vocabulary.types[id];
  switch (type) {
    case TokenType::kNormal:
      parts_->append_normal(id, is_start, text);
      break;
    case TokenType::kByte:
      text += static_cast<char>(*byte_of_token(vocabulary.tokens[id]));
      break;
    case TokenType::kUserDefined:
      text += vocabulary.tokens[id];
      break;
    case TokenType::kControl:
    case TokenType::kUnknown:
    case TokenType::kUnused:
      if (special) text += vocabulary.tokens[id];
      break;
  }
  // encode puts a prefix space after every special token, so that is where one is removed.
  is_start = type == TokenType::kControl || type == TokenType::kUserDefined ||
             (is_start && type == TokenType::kUnused);
}

}  // namespace nibble
