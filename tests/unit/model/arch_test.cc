// Every architecture of tests/golden/arch: what Transformers answers to a tiny random checkpoint is
// what we answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/forward.h"
#include "model/tensor_shapes.h"
#include "support/checkpoint.h"
#include "support/encoded.h"
#include "support/npy.h"

namespace nibble {
namespace {

const std::filesystem::path kFixtures = repository_path("tests/golden/arch");
constexpr size_t kTokens = 32, kVocabulary = 96;

std::vector<std::string> fixtures() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFixtures)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<uint32_t> tokens() {
  std::vector<uint32_t> ids;
  for (uint32_t i = 0; i < kTokens; ++i) ids.push_back((7 * i * i + 3 * i + 1) % kVocabulary);
  return ids;
}

// The largest difference, in shares of what logits mostly are.
double relative_difference(std::span<const float> found, std::span<const float> expected) {
  double squares = 0;
  for (const float x : expected) squares += static_cast<double>(x) * x;
  return largest_difference(found, expected) /
         std::sqrt(squares / static_cast<double>(expected.size()));
}

class ArchTest : public testing::TestWithParam<std::string> {
 protected:
  std::vector<float> logits(size_t step) const {
    return logits_by(model_.config, weights_, tokens(), step, 2, DType::kF32);
  }

  const Checkpoint model_{kFixtures / GetParam()};
  // Blocks of MXFP4 would multiply 8-bit activations.
  const Encoded floats_{model_.tensors, DType::kF32, true};
  const Weights weights_{floats_, model_.config};
};

// Measured: at most 1e-5.
TEST_P(ArchTest, HasTheLogitsOfTransformers) {
  check_tensors(model_.tensors, model_.config, GetParam());
  const auto expected = read_npy(kFixtures / GetParam() / "logits.npy");
  const auto whole = logits(kTokens);
  ASSERT_EQ(whole.size(), expected.size());
  const double difference = relative_difference(whole, expected);
  RecordProperty("difference", std::to_string(difference));
  EXPECT_LT(difference, 1e-4);
  for (const size_t step : {size_t{1}, size_t{5}})
    EXPECT_LT(relative_difference(logits(step), whole), 2e-5) << step << " at a time";
}

TEST_P(ArchTest, HasTheTensorsThatItsConfigSays) {
  const bool has_output = !is_tied(model_.tensors.tensors());
  std::vector<Role> made;
  for (const auto& [role, floats] : model_.options().made) made.push_back(role);
  const auto listed = tensors_of(
      model_.config, {.vocab_size = kVocabulary, .has_output = has_output, .made = made});
  // Of those that may be there or not the config does not speak.
  const auto names = [&](const std::vector<TensorInfo>& tensors) {
    std::vector<std::string> found;
    for (const TensorInfo& tensor : tensors) {
      const TensorPlace place = *place_from_gguf_name(tensor.name);
      const auto& optional = model_.arch.optional;
      if (place.is_bias && is_optional(place, model_.config)) continue;
      if (std::ranges::find(optional, place.role) != optional.end()) continue;
      found.push_back(tensor.name + " " + to_string(tensor.shape));
    }
    return found;
  };
  EXPECT_EQ(names(listed), names(model_.tensors.tensors()));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ArchTest, testing::ValuesIn(fixtures()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace nibble
