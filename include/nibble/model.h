// A model loaded to run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/activations.h"
#include "nibble/progress.h"

namespace nibble {

struct LoadOptions {
  RunOptions run;    // threads are kept for running the model, too
  std::string type;  // quantize in memory as `nibble quantize -t` would; empty: as it is stored
  // Keep quantized matrices in memory with 16 rows side by side, too, when there is room: faster,
  // for a copy of the weights. Logits differ in the last bits.
  bool repack = true;
  // A folder to keep that copy in between runs, in a file for each model and instruction set that
  // is as large as the copy and goes out of use when the model's files change. Empty: made anew by
  // each run. Not for models that are quantized in memory (kUsage).
  std::filesystem::path repack_cache;
  Activations activations = Activations::kNibble;  // what quantized weights are multiplied with
};

class Model {
 public:
  // Errors: everything that can be wrong with the model.
  explicit Model(const std::filesystem::path& path, const LoadOptions& options = {});
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  const std::filesystem::path& path() const;
  uint64_t weight_bytes() const;   // of the tensors in use
  bool is_repacked() const;        // LoadOptions::repack, and there was room
  int64_t context_length() const;  // positions it was trained for
  double load_seconds() const;

  std::vector<uint32_t> tokenize(std::string_view text, bool add_special = true,
                                 bool parse_special = false) const;
  std::string detokenize(const std::vector<uint32_t>& ids) const;

  struct Parts;  // what the library itself works with
  Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace nibble
