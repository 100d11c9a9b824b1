// SafetensorsSink: writes a safetensors file (layout: safetensors_header.h), tensors in the order
// given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "file/sink_progress.h"
#include "tensor/sink.h"
#include "tensor/source.h"

namespace nibble {

class SafetensorsSink final : public TensorSink {
 public:
  // `metadata` becomes __metadata__; Transformers wants {"format": "pt"}. The shape {in, out} is
  // written as [out, in]. Errors: kUnsupported (a type other than F32, F16, BF16, a name that is
  // not UTF-8, a header longer than readers take), kUsage, kNoSpace, kIo.
  SafetensorsSink(const std::filesystem::path& path,
                  const std::map<std::string, std::string>& metadata,
                  std::vector<TensorInfo> tensors);

  void write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes) override;
  void finish() override;

 private:
  SinkProgress progress_;
  std::vector<uint64_t> offsets_;  // of each tensor in the file
  OutputFile file_;
};

// The size of the file that SafetensorsSink writes.
uint64_t safetensors_file_bytes(const std::map<std::string, std::string>& metadata,
                                const std::vector<TensorInfo>& tensors);

}  // namespace nibble
