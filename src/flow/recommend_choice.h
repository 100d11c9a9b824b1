// Which of the candidates is recommended, why, and what to run next.
#pragma once

#include <string>
#include <vector>

#include "nibble/recommend.h"

namespace nibble {

// Error kUsage, saying what the smallest candidate needs, when none fits.
void check_that_something_fits(const Recommendation& report);

// Sets best and reason, by the rule of recommend().
void choose(const RecommendOptions& options, Recommendation& report);

std::vector<std::string> commands_for(const Recommendation& report, bool is_checkpoint);

}  // namespace nibble
