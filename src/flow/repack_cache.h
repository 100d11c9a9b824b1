// Interleaved weights (kernel/interleaving.h) kept between runs, in DIR/NAME-HASH.repacked:
//
//   "NIBREPK1"  u8[32] SHA-256 of what the bytes are made from  u64 bytes  zeros up to 4096
//   the panels of all matrices, in the order of Weights::interleave()
//
// The name's hash is of the model's path, so that a changed model replaces what it left. Such a
// file is a cache of the machine that wrote it: anything that does not fit counts as missing.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "base/input_file.h"
#include "base/sha256.h"
#include "flow/model_source.h"

namespace nibble {

class RepackCache {
 public:
  // `bytes`: of the model's copy.
  RepackCache(const std::filesystem::path& folder, const ModelSource& model, uint64_t bytes);

  // The file, if there is one for the model as it is now, and the copy in it.
  std::unique_ptr<InputFile> find() const;
  std::span<const std::byte> copy_in(const InputFile& file) const;
  // Errors: kIo, kNoSpace.
  void store(std::span<const std::byte> copy) const;

 private:
  std::filesystem::path path_;
  Sha256Digest made_from_;
  uint64_t bytes_;
};

}  // namespace nibble
