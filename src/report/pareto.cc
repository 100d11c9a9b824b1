#include <cmath>

#include "nibble/compare.h"

namespace nibble {

std::vector<size_t> pareto_front(const Comparison& comparison) {
  std::vector<size_t> front;
  double least = INFINITY;
  for (size_t i = 0; i < comparison.models.size(); ++i) {  // the smallest first
    const ComparedModel& model = comparison.models[i];
    if (!model.divergence || !(model.divergence->kl_divergence.value < least)) continue;
    least = model.divergence->kl_divergence.value;
    if (!front.empty() && comparison.models[front.back()].bytes == model.bytes) front.pop_back();
    front.push_back(i);
  }
  return front;
}

}  // namespace nibble
