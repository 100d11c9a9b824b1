#include "nibble/conformance.h"

#include "file/gguf.h"
#include "flow/model.h"
#include "text/conformance.h"

namespace nibble {

std::vector<std::string> conformance_problems(const Model& model) {
  const Model::Parts& parts = model.parts();
  return conformance_problems(parts.source.metadata, *parts.tokenizer);
}

std::vector<std::string> conformance_problems(const std::filesystem::path& path) {
  if (path.extension() != ".gguf") return {};
  const GgufFile file(path);
  if (!has_conformance(file.metadata())) return {};
  const Tokenizer tokenizer(vocabulary_from_metadata(file.metadata()), path.string());
  return conformance_problems(file.metadata(), tokenizer);
}

}  // namespace nibble
