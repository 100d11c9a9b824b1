// What a loaded nibble::Model consists of.
#pragma once

#include <memory>

#include "base/threads.h"
#include "flow/model_source.h"
#include "model/config.h"
#include "model/weights.h"
#include "nibble/model.h"
#include "text/tokenizer.h"

namespace nibble {

struct Model::Parts {
  std::filesystem::path path;
  ModelSource source;                       // its tensors stay mapped while the weights lie there
  std::unique_ptr<TensorSource> quantized;  // instead, when they were quantized in memory
  ModelConfig config;
  std::unique_ptr<InputFile> repacked;  // that the weights lie in, when they come from a cache
  std::unique_ptr<Weights> weights;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<ThreadPool> pool;
  bool is_repacked = false;
  double load_seconds = 0;
};

}  // namespace nibble
