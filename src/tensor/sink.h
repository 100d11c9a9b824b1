// TensorSink: where tensors go. A sink knows from its construction which tensors will come.
#pragma once

#include <cstddef>
#include <span>

namespace nibble {

class TensorSink {
 public:
  virtual ~TensorSink() = default;

  // The next bytes of tensor number `tensor` of the announced list: tensors in order, each in
  // consecutive pieces of any size. Errors: kUsage when order or size break that, kNoSpace, kIo.
  virtual void write(size_t tensor, std::span<const std::byte> bytes) = 0;

  // Makes the file appear under its name. Error kUsage when announced tensors are incomplete. A
  // sink destroyed without finish() leaves nothing behind.
  virtual void finish() = 0;
};

}  // namespace nibble
