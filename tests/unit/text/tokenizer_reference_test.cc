// Ids against those of llama.cpp: the vocabularies and cases that come with it.
#include <gtest/gtest.h>

#include <sstream>

#include "file/gguf.h"
#include "support/files.h"
#include "text/tokenizer.h"

namespace nibble {
namespace {

std::vector<std::string> read_cases() {
  const std::string text = read_file(shared_path("tokenizers/cases.txt"));
  const std::string separator = "\n__ggml_vocab_test__\n";
  std::vector<std::string> cases;
  size_t begin = 0;
  for (size_t end; (end = text.find(separator, begin)) != text.npos;
       begin = end + separator.size()) {
    cases.push_back(text.substr(begin, end - begin));
  }
  return cases;  // every case is closed by a separator
}

std::vector<std::vector<uint32_t>> read_ids(const std::filesystem::path& path) {
  std::istringstream lines(read_file(path));
  std::vector<std::vector<uint32_t>> ids;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line);
    ids.emplace_back(std::istream_iterator<uint32_t>(numbers), std::istream_iterator<uint32_t>());
  }
  return ids;
}

class TokenizerReference : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerReference, EveryCaseHasLlamaCppsIdsAndDecodesToItself) {
  const auto gguf = shared_path("tokenizers") / (std::string("vocab-") + GetParam() + ".gguf");
  NIBBLE_REQUIRE_SHARED(gguf);
  const Tokenizer tokenizer(vocabulary_from_metadata(GgufFile(gguf).metadata()));
  const auto cases = read_cases();
  const auto expected = read_ids(gguf.string() + ".out");
  ASSERT_EQ(cases.size(), expected.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto ids = tokenizer.encode(cases[i], {.add_special = false});
    EXPECT_EQ(ids, expected[i]) << "case " << i << ": " << cases[i];
    const bool keeps_text = tokenizer.vocabulary().model != "bert";  // it drops case and spaces
    if (keeps_text) {
      EXPECT_EQ(tokenizer.decode(ids), cases[i]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TokenizerReference,
                         testing::Values("llama-spm", "phi-3", "gpt-2", "starcoder",
                                         "deepseek-coder"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace nibble
