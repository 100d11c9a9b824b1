// Conformance vectors: what a model's tokenizer and chat template made of some texts and messages
// where they came from. A converted file carries them (docs/formats/gguf.md), so that whoever loads
// it can see whether they still make the same of them, there: another program's defaults, an edited
// template or a name that stands for another pre-tokenizer change ids without a word.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/metadata.h"
#include "text/tokenizer.h"

namespace nibble {

struct ConformanceVectors {
  struct Text {
    std::string text;
    std::vector<uint32_t> ids;  // special tokens around it and in it, as Transformers has them
  };
  // "prompt" is what the template makes of "input", or "sha256:" and its digest where it is long.
  struct Chat {
    std::string input;  // JSON: {"messages": [...], "add_generation_prompt": true}
    std::string prompt;
  };
  std::vector<Text> texts;
  std::vector<Chat> chats;

  bool empty() const { return texts.empty() && chats.empty(); }
};

// What they may take of a file, keys and lengths included.
inline constexpr size_t kConformanceBytes = 4096;

// Of a tokenizer and its vocabulary's chat template: the same ones whenever and wherever they are
// made. Chats that the template refuses are left out, all of them where it is no template.
ConformanceVectors make_conformance(const Tokenizer& tokenizer);

void add_conformance(const ConformanceVectors& vectors, Metadata& metadata);
void erase_conformance(Metadata& metadata);
// Those keys alone, of one origin; empty where there are none.
Metadata conformance_keys(const Metadata& metadata);

// None where there are none or they are of a later version. Error kInvalidFile for keys that are
// damaged, or that hold more than could be checked in no time.
ConformanceVectors conformance_from_metadata(const Metadata& metadata);

// What a tokenizer and its chat template make otherwise: a sentence on each, to stand behind the
// model's name. Empty: they do as they should.
std::vector<std::string> conformance_problems(const ConformanceVectors& vectors,
                                              const Tokenizer& tokenizer);
// The same of what a file says. Keys that are damaged are a problem, no error: the model is whole.
std::vector<std::string> conformance_problems(const Metadata& metadata, const Tokenizer& tokenizer);

}  // namespace nibble
