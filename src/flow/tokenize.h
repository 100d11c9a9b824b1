// What a nibble::ModelTokenizer consists of.
#pragma once

#include <utility>

#include "flow/vocabulary_source.h"
#include "nibble/tokenize.h"
#include "text/tokenizer.h"

namespace nibble {

struct ModelTokenizer::Parts {
  Parts(OpenedVocabulary opened, const std::string& origin)
      : tokenizer(std::move(opened.vocabulary), origin),
        conformance(std::move(opened.conformance)) {}

  Tokenizer tokenizer;
  Metadata conformance;  // conformance_keys() of its file
};

}  // namespace nibble
