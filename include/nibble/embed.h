// Embeddings: texts as vectors that lie near each other where meanings do. Encoders (BERT,
// nomic-bert) make them, and so does any model that runs here, from what its last layer holds.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "nibble/model.h"

namespace nibble {

// How the vectors of a text's tokens become one. The numbers are GGUF's (ARCH.pooling_type).
enum class Pooling : uint8_t {
  kNone = 0,  // they do not: each token has one
  kMean = 1,
  kCls = 2,   // that of the first token
  kLast = 3,  // that of the last
};

// "none", "mean", "cls", "last".
std::string_view pooling_name(Pooling pooling);
std::optional<Pooling> pooling_from_name(std::string_view name);

struct EmbedOptions {
  std::optional<Pooling> pooling;  // none given: the model's own
  bool normalize = true;           // to a length of 1
  const std::atomic<bool>* cancelled = nullptr;
};

struct Embedding {
  int64_t tokens = 0;         // with those that the model wants around a text
  int64_t dimensions = 0;     // of a vector
  std::vector<float> values;  // a vector, or with Pooling::kNone one for each token
};

// What the model's file names; where it names nothing (or a kind that this version does not know,
// such as ranking), the mean for encoders and the last token for others.
Pooling pooling_of(const Model& model);

// Of one text, with what the model's tokenizer puts around it; special tokens written in the text
// are those tokens, as in Transformers. A text of no tokens has no embedding. Errors: kUsage for
// such a one, and for one of more tokens than the model was trained for (it is not cut off);
// kCancelled.
Embedding embed(const Model& model, std::string_view text, const EmbedOptions& options = {});

// The cosine of the angle between two vectors of one size; 0 where one of them is 0.
double cosine_similarity(std::span<const float> a, std::span<const float> b);

}  // namespace nibble
