// tokenizer.model: SentencePiece's ModelProto, a protocol buffer. What is read of it (field
// numbers from sentencepiece_model.proto):
//
//   ModelProto      1 pieces (repeated)   2 trainer_spec   3 normalizer_spec
//   SentencePiece   1 piece (string)      2 score (float)  3 type (TokenType; absent: normal)
//   TrainerSpec     3 model_type (1 unigram, absent too; 2 BPE; 3 word; 4 character)
//                   40 unk_id  41 bos_id  42 eos_id  43 pad_id (absent: 0 1 2 -1; -1: none)
//   NormalizerSpec  3 add_dummy_prefix (absent: true)
//
// The normalizer's own rules (NFKC, removal of spaces) are left out, as llama.cpp and Hugging
// Face's Llama tokenizers do.
#pragma once

#include <string_view>

#include "text/vocabulary.h"

namespace nibble {

// Errors: kInvalidFile with the byte offset, kUnsupported for another model type than BPE. The
// caller still has to check_vocabulary.
Vocabulary vocabulary_from_sentencepiece(std::string_view bytes, std::string_view file_name);

}  // namespace nibble
