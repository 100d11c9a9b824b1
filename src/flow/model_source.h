// ModelSource: a model as metadata and tensors under GGUF names, whatever it is stored as.
// Converting, quantizing, inspecting and running all begin here.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/metadata.h"
#include "file/gguf.h"
#include "file/hf_directory.h"
#include "model/pruned.h"
#include "model/renamed.h"
#include "model/scaled.h"
#include "tensor/source.h"
#include "text/vocabulary.h"

namespace nibble {

inline bool keep_all_blocks(std::string_view) { return true; }
inline bool keep_no_blocks(std::string_view) { return false; }

struct ModelSource {
  std::filesystem::path path;
  std::string format;  // "GGUF 3", "Hugging Face directory"
  Metadata metadata;

  const TensorSource& tensors() const {
    if (scaled) return *scaled;
    if (pruned) return *pruned;
    if (outline) return *outline;
    return gguf ? static_cast<const TensorSource&>(*gguf)
                : static_cast<const TensorSource&>(*renamed);
  }
  // The files that the tensors lie in.
  const std::vector<std::unique_ptr<InputFile>>& files() const {
    return gguf ? gguf->files() : hf->files();
  }
  uint64_t file_bytes() const;
  // What a tensor was called before layers were taken away.
  const std::string& stored_name(size_t tensor) const;
  // How many of the tensors lie in each file of a GGUF. Error kUsage for other sources.
  std::vector<size_t> tensors_in_files() const;

  bool is_checkpoint() const { return gguf == nullptr; }  // Hugging Face's, also as an outline

  std::unique_ptr<GgufFile> gguf;  // one of these chains is there
  std::unique_ptr<HfDirectory> hf;
  std::unique_ptr<Renamed> renamed;       // around hf
  std::unique_ptr<TensorSource> outline;  // names and shapes without weights
  std::unique_ptr<Pruned> pruned;         // around either, when layers were taken away
  std::unique_ptr<Scaled> scaled;         // around all of these (flow/column_scales.h)
};

// Opens a Hugging Face directory, a .gguf or a file of weights with its config beside it. For a
// directory the metadata is what llama.cpp's converter would have written. `keep`: which tensors of
// a checkpoint whose weights are quantized already come in the blocks that they are stored in, by
// their GGUF names, where GGUF has such blocks and they are multiplied as they are; the others are
// f32. Errors: everything that can be wrong with the model's headers.
ModelSource open_model(const std::filesystem::path& path, const KeepBlocks& keep = keep_all_blocks);

// The same for planning only, and no blocks are kept: a config.json by its own path, or a folder
// that has one but no weights, will do. Tensors then have no rows, and files() may not be asked
// for; the vocabulary is there when the tokenizer's files are and this version reads them, else
// only its size.
ModelSource open_model_outline(const std::filesystem::path& path);

// Takes layers away and numbers the others anew, in tensors and metadata. Error kUsage for layers
// that are not there.
PrunedLayers prune_model(ModelSource& model, const std::vector<uint64_t>& layers);

// Error kInvalidFile unless the vocabulary has one token for each row of the embedding.
void check_vocabulary_size(const ModelSource& model, const Vocabulary& vocabulary);

}  // namespace nibble
