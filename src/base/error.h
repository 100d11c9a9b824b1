// fail(): format a message and throw nibble::Error.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "nibble/error.h"

namespace nibble {

template <class... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

// The operating system's text for an errno value.
std::string system_message(int error_number);

}  // namespace nibble
