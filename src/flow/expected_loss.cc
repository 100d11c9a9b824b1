#include "flow/expected_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nibble {
namespace {

constexpr double kUnknown = -1;

// Mean KL divergence of Llama-3-8B on wikitext-2, 512 tokens a window, from
// llama.cpp's perplexity/README.md (2025, "LLaMA 3 8b Scoreboard"): without an importance
// matrix, and the best of those with one made from wikitext's training part. Bits per weight are
// those of its file. The scoreboard's own floor, the rounding of the stored logits, is 5.5e-4: f16
// has that there, and 2.5e-5 from bf16 in another table of the same page.
struct Published {
  std::string_view recipe;
  double bits_per_weight;
  double plain;
  double with_importance;
};
constexpr Published kPublished[] = {
    {"f32", 32.00, 0, kUnknown},          {"bf16", 16.00, 2.5e-5, kUnknown},
    {"f16", 16.00, 2.5e-5, kUnknown},     {"q8_0", 8.50, 0.001355, kUnknown},
    {"q6_k", 6.56, 0.005452, kUnknown},   {"q5_1", 6.04, 0.018045, kUnknown},
    {"q5_k_m", 5.70, 0.010762, kUnknown}, {"q5_k_s", 5.57, 0.016595, kUnknown},
    {"q5_0", 5.57, 0.022239, kUnknown},   {"q4_1", 5.11, 0.071683, kUnknown},
    {"q4_k_m", 4.89, 0.031273, 0.028152}, {"q4_k_s", 4.67, 0.043136, 0.031951},
    {"iq4_nl", 4.65, kUnknown, 0.035742}, {"q4_0", 4.64, 0.071940, kUnknown},
    {"iq4_xs", 4.43, kUnknown, 0.036334}, {"q3_k_l", 4.31, 0.087176, 0.073077},
    {"q3_k_m", 4.00, 0.101913, 0.084358}, {"iq3_m", 3.77, kUnknown, 0.102534},
    {"iq3_s", 3.66, kUnknown, 0.111278},  {"q3_k_s", 3.65, 0.228217, 0.199821},
    {"iq3_xs", 3.51, kUnknown, 0.138693}, {"iq3_xxs", 3.26, kUnknown, 0.183625},
    {"q2_k", 3.17, 0.445132, 0.331393},   {"q2_k_s", 3.17, kUnknown, 0.403360},
    {"iq2_m", 2.93, kUnknown, 0.325989},  {"iq2_s", 2.74, kUnknown, 0.439197},
    {"iq2_xs", 2.60, kUnknown, 0.546290}, {"iq2_xxs", 2.40, kUnknown, 0.812022},
    {"iq1_m", 2.15, kUnknown, 1.393084},  {"iq1_s", 2.01, kUnknown, 2.211278},
};
constexpr const char* kScoreboard =
    "estimate from llama.cpp's published KL divergences of Llama-3-8B on wikitext-2";

// Mean KL divergence from an f32 cache, measured on lab-7m (docs/guides/performance.md).
struct KvLoss {
  std::string_view name;
  double kl;
};
constexpr KvLoss kKvLosses[] = {
    {"f32", 0},       {"f16", 8.8e-8},       {"bf16", 5.4e-6},
    {"q8_0", 4.4e-5}, {"q8_0/q4_0", 6.1e-4}, {"q4_0/f16", 3.8e-3},
    {"q4_0", 4.5e-3},
};

// Between the k-quants and floats, which lie on a line in the logarithm of the loss nearly; beyond
// them as at the nearest.
double loss_by_bits(double bits) {
  constexpr std::string_view kLine[] = {"f16",    "q8_0",   "q6_k",  "q5_k_m",
                                        "q4_k_m", "q3_k_m", "iq2_m", "iq1_s"};
  const Published* above = nullptr;
  for (const std::string_view name : kLine) {
    const auto below = std::ranges::find(kPublished, name, &Published::recipe);
    const double below_loss = std::max(below->plain, below->with_importance);
    if (bits >= below->bits_per_weight) {
      if (above == nullptr) return below_loss;
      const double above_loss = std::max(above->plain, above->with_importance);
      const double t =
          (bits - below->bits_per_weight) / (above->bits_per_weight - below->bits_per_weight);
      return std::exp(t * std::log(above_loss) + (1 - t) * std::log(below_loss));
    }
    above = below;
  }
  return std::max(above->plain, above->with_importance);
}

}  // namespace

TypeLoss expected_type_loss(std::string_view recipe, double bits_per_weight) {
  const auto row = std::ranges::find(kPublished, recipe, &Published::recipe);
  if (row == std::end(kPublished)) {
    return {{loss_by_bits(bits_per_weight),
             fmt::format("estimate by bits per weight ({:.2f}), between types of {}",
                         bits_per_weight, std::string_view(kScoreboard).substr(14))}};
  }
  const bool wants_importance = row->plain == kUnknown;
  if (!wants_importance) return {{row->plain, kScoreboard}};
  return {{row->with_importance, std::string(kScoreboard) + ", with an importance matrix"}, true};
}

ExpectedLoss expected_kv_loss(KvTypes kv_types) {
  const auto find = [](std::string_view name) {
    return std::ranges::find(kKvLosses, name, &KvLoss::name);
  };
  const std::string key(dtype_name(kv_types.key)), value(dtype_name(kv_types.value));
  auto row = find(key == value ? key : key + "/" + value);
  if (row == std::end(kKvLosses)) row = find("q4_0");  // of mixtures that nobody measured
  return {row->kl, "measured on lab-7m"};
}

std::vector<std::string_view> types_with_known_loss() {
  std::vector<std::string_view> names;
  for (const Published& row : kPublished) names.push_back(row.recipe);
  return names;
}

}  // namespace nibble
