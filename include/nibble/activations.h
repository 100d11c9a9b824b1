// How activations are rounded to 8 bits where quantized weights multiply them. Float weights take
// them as they are.
#pragma once

namespace nibble {

enum class Activations {
  kNibble,    // a scale for every 32: the least loss
  kLlamaCpp,  // as llama.cpp's CPU code does, which depends on the type: 256 share a scale for K-
              // and I-quants (but iq4_nl); every 32 have an f16 one for the others
};

}  // namespace nibble
