#include "base/error.h"

#include <system_error>

namespace nibble {

std::string system_message(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace nibble
