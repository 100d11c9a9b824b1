#include "flow/same_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "nibble/decide.h"
#include "nibble/evaluate.h"
#include "nibble/layers.h"
#include "support/files.h"

namespace nibble {
namespace {

std::string evaluation_text() {
  return read_file(repository_path("assets/lab-7m-text/evaluation.txt"));
}

// The bundled model with two tokens in each other's place.
std::filesystem::path with_swapped_tokens(const TemporaryFolder& folder, uint32_t a, uint32_t b) {
  const auto path = folder / "swapped";
  std::filesystem::create_directory(path);
  for (const auto& file : std::filesystem::directory_iterator(kLab7m))
    std::filesystem::create_symlink(file.path(), path / file.path().filename());
  auto tokenizer = nlohmann::json::parse(read_file(path / "tokenizer.json"));
  for (auto& id : tokenizer["model"]["vocab"]) {
    if (id == a) {
      id = b;
    } else if (id == b) {
      id = a;
    }
  }
  for (const char* file :
       {"tokenizer.json", "tokenizer.model"})  // the second goes before the first
    std::filesystem::remove(path / file);
  write_file(path / "tokenizer.json", tokenizer.dump());
  return path;
}

TEST(SameText, NamesTheModelThatSeesOtherTokens) {
  const TemporaryFolder folder;
  const Model model(kLab7m);
  const std::string text = evaluation_text();
  const uint32_t third = model.tokenize(text)[2];
  const auto path = with_swapped_tokens(folder, third, third + 1);
  const Model other(path);
  const std::vector<std::string> expected = {
      path.string() + ": token 2 of the text is " + std::to_string(third + 1),
      std::to_string(third) + " for this model"};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, expected,
                         [&] { evaluate(model, text, {.reference_model = &other}); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, expected, [&] { evaluate(model, text, {.reference = path}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, expected, [&] { decide(model, other, text); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, expected, [&] { compare_layers(model, other, text); }));
}

TEST(SameText, HasNoWindowShorterThanFourTokens) {
  const Model model(kLab7m);
  const std::string text = evaluation_text();
  const std::vector<std::string> expected = {"a context of 3", "at least 4"};
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, expected, [&] { evaluate(model, text, {.context = 3}); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, expected, [&] { decide(model, model, text, {.context = 3}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, expected,
                         [&] { compare_layers(model, model, text, {.context = 3}); }));
}

TEST(SameText, BeginsWindowsSideBySideWithBos) {
  const Model model(kLab7m);
  const auto tokens = model.tokenize(evaluation_text());
  const Windows side_by_side = windows_for(model.parts(), tokens, 64, 3);
  EXPECT_EQ(side_by_side.count, 3);
  EXPECT_EQ(side_by_side.first_token, model.parts().tokenizer->vocabulary().bos);
  EXPECT_EQ(side_by_side.window(1)[0], tokens[0]);
  const Windows overlapping = windows_for(model.parts(), tokens, 64, 3, 32);
  EXPECT_EQ(overlapping.step, 32);
  EXPECT_FALSE(overlapping.first_token);
}

}  // namespace
}  // namespace nibble
