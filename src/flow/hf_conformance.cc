#include "flow/hf_conformance.h"

#include "flow/vocabulary_source.h"
#include "text/conformance.h"

namespace nibble {

void add_conformance_of(const std::filesystem::path& folder, Metadata& metadata) {
  const auto* tokens = metadata.find_array<std::string>("tokenizer.ggml.tokens");
  if (tokens == nullptr) return;
  const Tokenizer tokenizer(vocabulary_from_hf(tokenizer_files(folder), tokens->size()),
                            folder.string());
  add_conformance(make_conformance(tokenizer), metadata);
}

}  // namespace nibble
