// Calibration: what a model's matrices multiply while it reads some texts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nibble/model.h"
#include "nibble/progress.h"

namespace nibble {

struct CalibrationText {
  std::string name;  // a path: errors name it, and its last part goes into the file
  std::string text;
  // Lines of JSON: {"text": ...}; {"messages": [{"role": ..., "content": ...}, ...]} or {"prompt":
  // ..., "completion": ...}, of which the model's chat template makes the text. The lines follow
  // each other, and chunks are cut from the whole.
  bool is_jsonl = false;
};

struct CalibrateOptions {
  // Each text is cut into chunks of `context` tokens, a rest is left out; where the vocabulary
  // wants it, each begins with BOS. `chunks`: the first so many of all; 0: all.
  int64_t context = 512;
  int64_t chunks = 0;
  bool parse_special = false;   // control tokens written in the texts become their ids
  bool process_output = false;  // measure what the output matrix multiplies, too
  // Statistics that the new ones are added to, GGUF or .dat. Of a .dat's counts each stands for
  // `context` tokens. With `moments`, all of them must have some.
  std::vector<std::filesystem::path> added = {};
  // Second moments of the inputs as well, for quantization with error feedback. Where they take
  // more than memory_limit bytes, the texts are read once for each part of the layers that fits
  // (at least one layer).
  bool moments = false;
  uint64_t memory_limit = uint64_t{4} << 30;
  // A type or recipe as quantize() takes it: each layer is measured with those before it quantized
  // to that, with error feedback by what was measured of them. Takes `moments`, reads the texts
  // once for each layer, and cannot be resumed. Empty: all layers as the model has them.
  std::string sequential = {};
  // So often, and when the work is cancelled, what was measured so far is written to
  // OUTPUT.checkpoint; 0: never. More rarely where writing it takes more than a twentieth of the
  // time. It goes when the output is whole.
  double checkpoint_seconds = 60;
  // Goes on from there, if there is something, and ends in the same bytes. What was begun with
  // another model, other texts or options is refused (kUsage), and what differs is said.
  bool resume = false;
};

struct Calibration {
  int64_t chunks = 0;
  int64_t tokens = 0;
  int64_t passes = 1;
  int64_t tokens_resumed = 0;  // of all passes, what an earlier call had read
  size_t tensors = 0;
  uint64_t bytes = 0;  // of the file
  double seconds = 0;
  // Experts that saw less than a hundredth of an equal share of the tokens.
  struct StarvedExpert {
    std::string tensor;
    int64_t expert;
    double tokens;
  };
  std::vector<StarvedExpert> starved;
};

// Writes an importance matrix, as GGUF or, where the name ends in .dat, in llama.cpp's legacy
// layout: the sums that llama-imatrix makes. Errors: kUsage for texts shorter than a chunk, a .dat
// with moments, or options that make no sense; kInvalidFile when an activation is not finite,
// naming tensor and column, for a line of JSON that is none of those above, naming it, and for
// added statistics of another model, naming the tensor; those of writing.
Calibration calibrate(const Model& model, const std::vector<CalibrationText>& texts,
                      const std::filesystem::path& output, const CalibrateOptions& options,
                      const RunOptions& run);

// Whether there is something to go on from beside that output.
bool has_checkpoint(const std::filesystem::path& output);

}  // namespace nibble
