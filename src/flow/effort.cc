#include "nibble/quantize.h"

namespace nibble {

std::string_view effort_name(Effort effort) {
  switch (effort) {
    case Effort::kFast:
      return "fast";
    case Effort::kBest:
      return "best";
    case Effort::kDefault:
      break;
  }
  return "default";
}

std::optional<Effort> effort_from_name(std::string_view name) {
  for (const Effort effort : {Effort::kFast, Effort::kDefault, Effort::kBest}) {
    if (name == effort_name(effort)) return effort;
  }
  return std::nullopt;
}

}  // namespace nibble
