// GgufSink: writes GGUF version 3 (layout: gguf_header.h), little-endian, weights as they come,
// into one file or the parts of a split.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/metadata.h"
#include "base/output_file.h"
#include "file/sink_progress.h"
#include "tensor/sink.h"
#include "tensor/source.h"

namespace nibble {

// One file: what stands before its weights.
struct GgufPart {
  std::filesystem::path path;
  Metadata metadata;
  std::vector<TensorInfo> tensors;
};

class GgufSink final : public TensorSink {
 public:
  // Checks the lists, then the free space for the whole file, then writes the header. Tensors are
  // aligned to the metadata's general.alignment, else to 32. Errors: kUsage (a name twice or longer
  // than the 63 bytes that llama.cpp reads, a shape that is not one of the type), kNoSpace, kIo,
  // kUsage (see OutputFile).
  GgufSink(const std::filesystem::path& path, const Metadata& metadata,
           std::vector<TensorInfo> tensors);
  // Several files; the sink's tensors are those of all parts, one after the other.
  GgufSink(std::vector<GgufPart> parts, Unfinished unfinished);

  void write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes) override;
  void finish() override;

  // For work that goes on where it was interrupted (Unfinished::kKeep): what is in the file
  // already, and that bytes of a tensor need not be written again.
  void read(size_t tensor, uint64_t offset, std::span<std::byte> out) const;
  void accept(size_t tensor, uint64_t offset, uint64_t bytes);

  // Replaces the metadata of the first part by one of the same keys and size.
  void rewrite_metadata(const Metadata& metadata);
  // Whether the files stay when the sink is destroyed before finish(): OutputFile.
  void keep();
  void discard();

 private:
  struct Place {
    size_t file;
    uint64_t offset;
  };

  std::vector<GgufPart> parts_;
  SinkProgress progress_;
  std::vector<std::unique_ptr<OutputFile>> files_;
  std::vector<Place> places_;
};

// What stands before the weights.
std::string gguf_header_bytes(const Metadata& metadata, const std::vector<TensorInfo>& tensors);

// The size of the file that GgufSink writes.
uint64_t gguf_file_bytes(const Metadata& metadata, const std::vector<TensorInfo>& tensors);

}  // namespace nibble
