// What a figure that was measured on one text is on another of its kind and length.
#pragma once

#include <span>

namespace nibble {

enum class Side { kAbove, kBelow };

// What the mean of the windows of such a text is not above (or below) with a confidence of 97.5 %,
// from the windows' means in the text's order; NaN with fewer than two of them.
//
// Windows of one book are more alike than those of two: on 20 pieces of 60 windows of English prose
// lab-7m's divergence scattered by 2.8 to 4.0 %, where the windows within them let expect 2.4 %. So
// the scatter is that of at most twelve stretches of the text (Student's t with one degree of
// freedom less), or of the windows where that is larger; and it counts twice, for the text that was
// measured and for the one that was not.
double bound_on_another_text(std::span<const double> windows, Side side);

}  // namespace nibble
