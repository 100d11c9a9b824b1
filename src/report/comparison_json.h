// A comparison as JSON (docs/formats/comparison.md) and back.
#pragma once

#include <string>
#include <string_view>

#include "nibble/compare.h"

namespace nibble {

std::string comparison_json(const Comparison& comparison);

// Of a JSON report or of an HTML one, which holds it, too. Errors: kInvalidFile naming `file_name`
// and what is missing; kUnsupported for a report of another version of the format.
Comparison parse_comparison(std::string_view report, const std::string& file_name);

// The element of an HTML report that holds it.
inline constexpr std::string_view kDataBegin =
    R"(<script type="application/json" id="comparison">)";
inline constexpr std::string_view kDataEnd = "</script>";

}  // namespace nibble
