// A comparison as one HTML page that needs nothing else: no scripts, no fonts, no network. It is
// light or dark as the reader's system is, narrow on a phone, and prints.
#pragma once

#include <string>

#include "nibble/compare.h"

namespace nibble {

std::string comparison_html(const Comparison& comparison);

}  // namespace nibble
