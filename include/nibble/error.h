// The one exception type of the library. Everything that can go wrong with input from outside
// (files, options, memory limits, the disk) is reported as nibble::Error; its message names the
// file, the offset or field, what was found, what was expected and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace nibble {

enum class ErrorCode {
  kUsage,        // the caller asked for something that makes no sense
  kInvalidFile,  // a file is damaged or breaks its format
  kUnsupported,  // valid, but nothing that this version can do
  kNotFound,     // a file, tensor or name does not exist
  kIo,           // the operating system refused a read or write
  kNoSpace,      // the target's file system has no room
  kCancelled,    // the caller's cancellation flag was set
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace nibble
