#include "text/encoder.h"

#include <algorithm>

#include "base/error.h"

namespace nibble {
namespace {

std::optional<uint32_t> unknown_of(const Vocabulary& vocabulary, const JsonObject& options) {
  const auto name = options.find_string("unk_token");
  if (!name) return std::nullopt;
  const auto found = std::ranges::find(vocabulary.tokens, *name);
  if (found == vocabulary.tokens.end()) {
    fail(ErrorCode::kInvalidFile, "{}: the unknown token \"{}\" is not in the vocabulary",
         options.file_name(), *name);
  }
  return static_cast<uint32_t>(found - vocabulary.tokens.begin());
}

BytePairOptions byte_pair_options(const Vocabulary& vocabulary, const JsonObject& options,
                                  bool is_byte_level) {
  if (options.find_float("dropout").value_or(0) != 0) {
    fail(ErrorCode::kUnsupported, "{}: a BPE model with dropout, whose ids are random",
         options.file_name());
  }
  return {.is_byte_level = is_byte_level,
          .ignores_merges = options.find_bool("ignore_merges").value_or(false),
          .byte_fallback = options.find_bool("byte_fallback").value_or(false),
          .fuses_unknown = options.find_bool("fuse_unk").value_or(false),
          .unknown = unknown_of(vocabulary, options),
          .continuing_prefix = options.find_string("continuing_subword_prefix").value_or(""),
          .word_suffix = options.find_string("end_of_word_suffix").value_or("")};
}

// A definition may ask for a model that its vocabulary is not made for.
void require_scores(const Vocabulary& vocabulary, const JsonObject& options) {
  const auto bytes = std::ranges::count(vocabulary.types, TokenType::kByte);
  if (vocabulary.scores.size() == vocabulary.size() && (vocabulary.unk || bytes >= 256)) return;
  fail(ErrorCode::kInvalidFile,
       "{}: the vocabulary has {} tokens, {} scores and {} unknown token; the model needs them all",
       options.file_name(), vocabulary.size(), vocabulary.scores.size(),
       vocabulary.unk ? "an" : "no");
}

using Model = std::variant<SentencePieceBpe, BytePairModel, UnigramModel, WordPieceModel>;

Model make_model(const Vocabulary& vocabulary, const JsonObject& options, bool is_byte_level) {
  const std::string type = options.find_string("type").value_or("BPE");
  if (type == "BPE") {
    return BytePairModel(vocabulary, byte_pair_options(vocabulary, options, is_byte_level),
                         options.file_name());
  }
  if (type == "SentencePiece BPE" || type == "Unigram") require_scores(vocabulary, options);
  if (type == "SentencePiece BPE") return SentencePieceBpe(vocabulary);
  if (type == "Unigram") {
    return UnigramModel(vocabulary, options.find_bool("byte_fallback").value_or(false),
                        options.file_name());
  }
  if (type == "WordPiece") {
    return WordPieceModel(vocabulary, options.find_uint("max_input_chars_per_word").value_or(100),
                          options.file_name());
  }
  fail(ErrorCode::kUnsupported,
       "{}: a model of type \"{}\" is not known; known are BPE, Unigram and WordPiece",
       options.file_name(), type);
}

}  // namespace

Encoder::Encoder(const Vocabulary& vocabulary, const JsonObject& options, bool is_byte_level)
    : model_(make_model(vocabulary, options, is_byte_level)) {}

void Encoder::encode(std::string_view piece, EncoderWorkspace& work,
                     std::vector<uint32_t>& ids) const {
  if (const auto* byte_pair = std::get_if<BytePairModel>(&model_)) {
    byte_pair->encode(piece, work.byte_pair, ids);
  } else if (const auto* sentencepiece = std::get_if<SentencePieceBpe>(&model_)) {
    sentencepiece->encode(piece, work.sentencepiece, ids);
  } else if (const auto* unigram = std::get_if<UnigramModel>(&model_)) {
    unigram->encode(piece, work.unigram, ids);
  } else {
    std::get<WordPieceModel>(model_).encode(piece, ids);
  }
}

}  // namespace nibble
