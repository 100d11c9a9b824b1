// A comparison as one table: Markdown to paste into a model card, and CSV.
#pragma once

#include <string>

#include "nibble/compare.h"

namespace nibble {

std::string comparison_markdown(const Comparison& comparison);
std::string comparison_csv(const Comparison& comparison);

// One sentence for each thing that was measured: how.
std::vector<std::string> how_measured(const Comparison& comparison);

}  // namespace nibble
