// GgufSink: writes GGUF version 3 (layout: gguf_header.h), little-endian, weights as they come.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/metadata.h"
#include "base/output_file.h"
#include "file/sink_progress.h"
#include "tensor/sink.h"
#include "tensor/source.h"

namespace nibble {

class GgufSink final : public TensorSink {
 public:
  // Checks the lists, then the free space for the whole file, then writes the header. Tensors are
  // aligned to the metadata's general.alignment, else to 32. Errors: kUsage (a name twice or longer
  // than the 63 bytes that llama.cpp reads, a shape that is not one of the type), kNoSpace, kIo.
  GgufSink(const std::filesystem::path& path, const Metadata& metadata,
           std::vector<TensorInfo> tensors);

  void write(size_t tensor, std::span<const std::byte> bytes) override;
  void finish() override;

 private:
  uint64_t alignment_;
  SinkProgress progress_;
  OutputFile file_;
};

// The size of the file that GgufSink writes.
uint64_t gguf_file_bytes(const Metadata& metadata, const std::vector<TensorInfo>& tensors);

}  // namespace nibble
