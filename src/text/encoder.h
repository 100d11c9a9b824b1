// The model of a tokenizer: what makes ids of one piece of text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "text/byte_pair_model.h"
#include "text/sentencepiece_bpe.h"
#include "text/unigram_model.h"
#include "text/word_piece_model.h"

namespace nibble {

// Working memory of one thread, whichever model it is.
struct EncoderWorkspace {
  SentencePieceBpe::Workspace sentencepiece;
  BytePairModel::Workspace byte_pair;
  UnigramModel::Workspace unigram;

  // Before a text of so many bytes.
  void prepare(size_t bytes) { byte_pair.cache.prepare(bytes); }
};

class Encoder {
 public:
  // `options`: "model" of a tokenizer.json without its tokens; they are those of `vocabulary`,
  // which must outlive the encoder. Errors: kUnsupported, naming the type, for one that is not
  // known; kInvalidFile.
  Encoder(const Vocabulary& vocabulary, const JsonObject& options, bool is_byte_level);

  void encode(std::string_view piece, EncoderWorkspace& work, std::vector<uint32_t>& ids) const;

  // Whether pieces may be any bytes, in a text that nobody cuts by patterns.
  bool takes_any_bytes() const { return std::holds_alternative<SentencePieceBpe>(model_); }

 private:
  std::variant<SentencePieceBpe, BytePairModel, UnigramModel, WordPieceModel> model_;
};

}  // namespace nibble
