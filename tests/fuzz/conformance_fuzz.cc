// The conformance vectors of a GGUF, with its own tokenizer or, where that is refused, another with
// the file's chat template. Checking them never throws, and those that the tokenizer itself makes
// have nothing against it.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "file/gguf_header.h"
#include "nibble/error.h"
#include "text/conformance.h"

namespace {

using nibble::Metadata;
using nibble::Tokenizer;

// Letters, and an unknown token for the rest.
nibble::Vocabulary letters() {
  nibble::Vocabulary vocabulary;
  vocabulary.tokens = {"<unk>", "<s>", "</s>", std::string(nibble::kSpaceMark)};
  for (char letter = 'a'; letter <= 'z'; ++letter) vocabulary.tokens.emplace_back(1, letter);
  vocabulary.scores.resize(vocabulary.size());
  vocabulary.types.resize(vocabulary.size(), nibble::TokenType::kNormal);
  vocabulary.types[0] = nibble::TokenType::kUnknown;
  vocabulary.types[1] = vocabulary.types[2] = nibble::TokenType::kControl;
  vocabulary.unk = 0, vocabulary.bos = 1, vocabulary.eos = 2;
  return vocabulary;
}

std::optional<Tokenizer> tokenizer_of(const Metadata& metadata) {
  try {
    return Tokenizer(nibble::vocabulary_from_metadata(metadata), "fuzz");
  } catch (const nibble::Error&) {
    return std::nullopt;
  }
}

std::string template_of(const Metadata& metadata) {
  try {
    return std::string(metadata.find_string("tokenizer.chat_template").value_or(""));
  } catch (const nibble::Error&) {
    return "";
  }
}

void check(const Metadata& metadata) {
  std::optional<Tokenizer> tokenizer = tokenizer_of(metadata);
  if (!tokenizer) {
    nibble::Vocabulary vocabulary = letters();
    vocabulary.chat_template = template_of(metadata);
    tokenizer.emplace(std::move(vocabulary), "fuzz");
  }
  nibble::conformance_problems(metadata, *tokenizer);
  Metadata own;
  try {
    nibble::add_conformance(nibble::make_conformance(*tokenizer), own);
  } catch (const nibble::Error&) {  // a pattern of the tokenizer exceeds its limits
    return;
  }
  if (!nibble::conformance_problems(own, *tokenizer).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::optional<nibble::GgufHeader> header;
  try {
    header = nibble::parse_gguf_header(std::as_bytes(std::span(data, size)), "fuzz.gguf");
  } catch (const nibble::Error&) {
    return 0;
  }
  check(header->metadata);
  return 0;
}
