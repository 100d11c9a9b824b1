// TensorSink: where tensors go. A sink knows from its construction which tensors will come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nibble {

class TensorSink {
 public:
  virtual ~TensorSink() = default;

  // Bytes from `offset` on of tensor number `tensor` of the announced list. Thread-safe: pieces of
  // any size come in any order, each byte once. Errors: kUsage when bytes lie outside the tensor or
  // it got more than it has, kNoSpace, kIo.
  virtual void write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes) = 0;

  // Makes the file appear under its name. Error kUsage when announced tensors are incomplete. A
  // sink destroyed without finish() leaves nothing behind, unless it says otherwise.
  virtual void finish() = 0;
};

}  // namespace nibble
