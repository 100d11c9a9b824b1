#include "nibble/conformance.h"

#include "flow/model.h"
#include "flow/tokenize.h"
#include "text/conformance.h"

namespace nibble {

std::vector<std::string> conformance_problems(const Model& model) {
  const Model::Parts& parts = model.parts();
  return conformance_problems(parts.source.metadata, *parts.tokenizer);
}

std::vector<std::string> conformance_problems(const ModelTokenizer& tokenizer) {
  const ModelTokenizer::Parts& parts = tokenizer.parts();
  return conformance_problems(parts.conformance, parts.tokenizer);
}

}  // namespace nibble
