// MemoryTensors: a sink that keeps what is written to it, and is the source of it afterwards.
#pragma once

#include <memory>
#include <vector>

#include "file/sink_progress.h"
#include "tensor/sink.h"
#include "tensor/source.h"

namespace nibble {

class MemoryTensors final : public TensorSink, public TensorSource {
 public:
  // Error kUnsupported when they do not fit into memory.
  explicit MemoryTensors(std::vector<TensorInfo> tensors);

  void write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes) override;
  void finish() override;

  const std::vector<TensorInfo>& tensors() const override { return progress_.tensors(); }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override;
  std::span<const std::byte> view(size_t tensor) const override;

 private:
  SinkProgress progress_;
  std::vector<std::unique_ptr<std::byte[]>> data_;
};

}  // namespace nibble
