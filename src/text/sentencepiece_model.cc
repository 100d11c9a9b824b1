#include "text/sentencepiece_model.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "text/unicode.h"

namespace nibble {
namespace {

static_assert(std::endian::native == std::endian::little, "floats are copied as they lie");

enum class Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint64_t number;
  Wire wire;
  uint64_t value;  // of a varint
  std::string_view bytes;
};

// The fields of one message, in order. The format: protobuf.dev/programming-guides/encoding.
class MessageReader {
 public:
  MessageReader(std::string_view message, std::string_view file, std::string_view file_name)
      : message_(message), file_(file), file_name_(file_name) {}

  bool next(Field& field) {
    if (place_ == message_.size()) return false;
    const uint64_t tag = read_varint();
    field = {tag >> 3, static_cast<Wire>(tag & 7), 0, {}};
    switch (field.wire) {
      case Wire::kVarint:
        field.value = read_varint();
        return true;
      case Wire::kFixed64:
        field.bytes = read_bytes(8);
        return true;
      case Wire::kFixed32:
        field.bytes = read_bytes(4);
        return true;
      case Wire::kBytes:
        field.bytes = read_bytes(read_varint());
        return true;
    }
    fail_here(fmt::format("found wire type {}, expected 0, 1, 2 or 5", tag & 7));
  }

  MessageReader open(const Field& field) const {
    require(field, Wire::kBytes);
    return {field.bytes, file_, file_name_};
  }
  std::string_view text(const Field& field) const {
    require(field, Wire::kBytes);
    if (!is_utf8(field.bytes)) fail_here("a token that is not UTF-8");
    return field.bytes;
  }
  float number(const Field& field) const {
    require(field, Wire::kFixed32);
    float value;
    std::memcpy(&value, field.bytes.data(), sizeof value);
    return value;
  }
  uint64_t integer(const Field& field) const {
    require(field, Wire::kVarint);
    return field.value;
  }

 private:
  uint64_t read_varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (place_ == message_.size()) fail_here("a number is cut off");
      const auto byte = static_cast<uint8_t>(message_[place_++]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail_here("a number has more than ten bytes");
  }

  std::string_view read_bytes(uint64_t count) {
    if (count > message_.size() - place_) {
      fail_here(
          fmt::format("a field of {} bytes, but {} are left", count, message_.size() - place_));
    }
    const std::string_view bytes = message_.substr(place_, count);
    place_ += count;
    return bytes;
  }

  void require(const Field& field, Wire wire) const {
    if (field.wire == wire) return;
    fail_here(fmt::format("field {}: found wire type {}, expected {}", field.number,
                          static_cast<uint32_t>(field.wire), static_cast<uint32_t>(wire)));
  }

  [[noreturn]] void fail_here(std::string_view problem) const {
    const auto offset = static_cast<size_t>(message_.data() - file_.data()) + place_;
    fail(ErrorCode::kInvalidFile, "{}: not a SentencePiece model, at byte {}: {}", file_name_,
         offset, problem);
  }

  std::string_view message_, file_, file_name_;
  size_t place_ = 0;
};

void add_piece(MessageReader message, std::string_view file_name, Vocabulary& vocabulary) {
  std::string_view text;
  float score = 0;
  TokenType type = TokenType::kNormal;
  for (Field field; message.next(field);) {
    if (field.number == 1) text = message.text(field);
    if (field.number == 2) score = message.number(field);
    if (field.number == 3) type = static_cast<TokenType>(message.integer(field));
  }
  if (text.empty() || vocabulary.size() == kMaxVocabularySize) {
    fail(ErrorCode::kInvalidFile, "{}: token {}: {}", file_name, vocabulary.size(),
         text.empty() ? "found no text" : "there are more tokens than any vocabulary has");
  }
  vocabulary.tokens.emplace_back(text);
  vocabulary.scores.push_back(score);
  vocabulary.types.push_back(type);
}

uint64_t read_trainer_spec(MessageReader message, Vocabulary& vocabulary) {
  uint64_t model_type = 1;
  for (Field field; message.next(field);) {
    if (field.number == 3) model_type = message.integer(field);
    if (field.number < 40 || field.number > 43) continue;
    const auto id = static_cast<int32_t>(message.integer(field));
    constexpr std::array kIds = {&Vocabulary::unk, &Vocabulary::bos, &Vocabulary::eos,
                                 &Vocabulary::pad};
    vocabulary.*kIds[field.number - 40] =
        id < 0 ? std::nullopt : std::optional(static_cast<uint32_t>(id));
  }
  return model_type;
}

void read_normalizer_spec(MessageReader message, Vocabulary& vocabulary) {
  for (Field field; message.next(field);) {
    if (field.number == 3) vocabulary.add_space_prefix = message.integer(field) != 0;
  }
}

void require_bpe(uint64_t model_type, std::string_view file_name) {
  constexpr uint64_t kBpe = 2;
  if (model_type == kBpe) return;
  constexpr std::array<std::string_view, 5> kNames = {"unknown", "unigram", "BPE", "word",
                                                      "character"};
  fail(ErrorCode::kUnsupported,
       "{}: a SentencePiece model of type {} ({}); this version runs those of type BPE", file_name,
       model_type, kNames[model_type < kNames.size() ? model_type : 0]);
}

}  // namespace

Vocabulary vocabulary_from_sentencepiece(std::string_view bytes, std::string_view file_name) {
  Vocabulary vocabulary;
  vocabulary.unk = 0;
  vocabulary.bos = 1;
  vocabulary.eos = 2;
  uint64_t model_type = 1;
  MessageReader message(bytes, bytes, file_name);
  for (Field field; message.next(field);) {
    if (field.number == 1) add_piece(message.open(field), file_name, vocabulary);
    if (field.number == 2) model_type = read_trainer_spec(message.open(field), vocabulary);
    if (field.number == 3) read_normalizer_spec(message.open(field), vocabulary);
  }
  if (vocabulary.size() == 0) {
    fail(ErrorCode::kInvalidFile, "{}: not a SentencePiece model: it has no tokens", file_name);
  }
  require_bpe(model_type, file_name);
  return vocabulary;
}

}  // namespace nibble
