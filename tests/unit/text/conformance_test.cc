// Conformance vectors: made, stored, read again, and what they find.
#include "text/conformance.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "file/gguf_sink.h"
#include "support/files.h"
#include "text/hf_tokenizer.h"

namespace nibble {
namespace {

constexpr std::string_view kTemplate =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}";

Vocabulary vocabulary_of(const std::string& name) {
  const auto path =
      std::filesystem::path(NIBBLE_SOURCE_DIR) / "tests/golden/text/tokenizers" / name;
  HfTokenizerFiles files;
  files.folder = path.parent_path().string();
  files.tokenizer_json = read_file(path);
  return vocabulary_from_hf(files, std::nullopt);
}

Metadata with_vectors(Vocabulary vocabulary) {
  Metadata metadata;
  add_conformance(make_conformance(Tokenizer(std::move(vocabulary))), metadata);
  return metadata;
}

class ConformanceTest : public testing::TestWithParam<std::string> {
 protected:
  Vocabulary vocabulary() const {
    Vocabulary vocabulary = vocabulary_of(GetParam());
    vocabulary.chat_template = kTemplate;
    return vocabulary;
  }
};

TEST_P(ConformanceTest, HoldsForTheVocabularyThatAFileGets) {
  const Metadata vectors = with_vectors(vocabulary());
  Metadata file = vectors;
  add_vocabulary(vocabulary(), file);
  const Tokenizer tokenizer(vocabulary_from_metadata(file));
  const auto read = conformance_from_metadata(file);
  EXPECT_GE(read.texts.size(), 24u);
  EXPECT_EQ(read.chats.size(), 4u);
  EXPECT_EQ(conformance_problems(file, tokenizer), std::vector<std::string>());
}

TEST_P(ConformanceTest, IsSmallAndAlwaysTheSame) {
  const Metadata vectors = with_vectors(vocabulary());
  EXPECT_LT(gguf_file_bytes(vectors, {}), gguf_file_bytes({}, {}) + kConformanceBytes);
  EXPECT_EQ(with_vectors(vocabulary()).entries(), vectors.entries());
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, ConformanceTest,
                         testing::Values("gpt2.json", "bert.json", "gpt4o.json"),
                         [](const auto& param) {
                           return param.param.substr(0, param.param.find('.'));
                         });

// What a file without its definition is to programs that go by another name.
TEST(Conformance, FindsAnotherPreTokenizer) {
  const Metadata vectors = with_vectors(vocabulary_of("gpt4o.json"));
  Vocabulary other = vocabulary_of("gpt4o.json");
  other.definition.clear();
  other.pre = "gpt-2";
  const auto problems = conformance_problems(vectors, Tokenizer(std::move(other)));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_TRUE(problems[0].starts_with("its tokenizer makes other tokens of ")) << problems[0];
}

TEST(Conformance, FindsAnotherTemplate) {
  Vocabulary vocabulary = vocabulary_of("gpt2.json");
  vocabulary.chat_template = kTemplate;
  const Metadata vectors = with_vectors(vocabulary);
  vocabulary.chat_template.replace(vocabulary.chat_template.find("<{{"), 1, "[");
  const auto problems = conformance_problems(vectors, Tokenizer(vocabulary));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_TRUE(problems[0].starts_with(
      "its chat template makes other prompts of 4 of 4 chats than its source's did, first: "))
      << problems[0];
  EXPECT_NE(problems[0].find(R"(is "[user>Hi<assistant>", not "<user>Hi<assistant>")"),
            std::string::npos)
      << problems[0];
  vocabulary.chat_template.clear();
  EXPECT_EQ(conformance_problems(vectors, Tokenizer(vocabulary)).size(), 1u);
}

TEST(Conformance, KeepsDigestsOfLongPrompts) {
  Vocabulary vocabulary = vocabulary_of("gpt2.json");
  vocabulary.chat_template = "{{ 'x' * 9000 }}{{ messages[0].content }}";
  const Metadata vectors = with_vectors(vocabulary);
  const auto read = conformance_from_metadata(vectors);
  ASSERT_FALSE(read.chats.empty());
  EXPECT_TRUE(read.chats[0].prompt.starts_with("sha256:"));
  EXPECT_TRUE(conformance_problems(vectors, Tokenizer(vocabulary)).empty());
  vocabulary.chat_template = "{{ 'x' * 9001 }}{{ messages[0].content }}";
  EXPECT_EQ(conformance_problems(vectors, Tokenizer(vocabulary)).size(), 1u);
}

TEST(Conformance, PrintsOneDateWhateverTheDay) {
  Vocabulary vocabulary = vocabulary_of("gpt2.json");
  vocabulary.chat_template = "{{ strftime_now('%Y-%m-%d %H') }}";
  const auto read = conformance_from_metadata(with_vectors(vocabulary));
  ASSERT_FALSE(read.chats.empty());
  EXPECT_EQ(read.chats[0].prompt, "2024-01-02 12");
}

TEST(Conformance, LeavesOutChatsThatATemplateRefuses) {
  Vocabulary vocabulary = vocabulary_of("gpt2.json");
  vocabulary.chat_template =
      "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}ok";
  EXPECT_EQ(conformance_from_metadata(with_vectors(vocabulary)).chats.size(), 3u);
  vocabulary.chat_template = "{% if %}";
  EXPECT_EQ(conformance_from_metadata(with_vectors(vocabulary)).chats.size(), 0u);
}

TEST(Conformance, DamagedVectorsAreAProblemAndNoError) {
  const Tokenizer tokenizer(vocabulary_of("gpt2.json"));
  const auto damaged = [&](const char* key, MetadataValue value) {
    Metadata metadata = with_vectors(vocabulary_of("gpt2.json"));
    metadata.set(key, std::move(value));
    EXPECT_THROW(conformance_from_metadata(metadata), Error) << key;
    const auto problems = conformance_problems(metadata, tokenizer);
    return problems.size() == 1 &&
           problems[0].starts_with("its conformance vectors could not be checked: ");
  };
  EXPECT_TRUE(damaged("nibble.conformance.ids", MetadataArray{std::vector<uint32_t>{1}}));
  EXPECT_TRUE(damaged("nibble.conformance.counts",
                      MetadataArray{std::vector<uint32_t>{0xffffffffu, 0xffffffffu}}));
  EXPECT_TRUE(damaged("nibble.conformance.texts", MetadataArray{std::vector<int32_t>{1}}));
  EXPECT_TRUE(damaged("nibble.conformance.texts",
                      MetadataArray{std::vector<std::string>{std::string(1 << 20, 'x')}}));
  EXPECT_TRUE(damaged("nibble.conformance.chats", MetadataArray{std::vector<std::string>{"{}"}}));
  EXPECT_TRUE(damaged("nibble.conformance.version", std::string("1")));
}

TEST(Conformance, VectorsOfALaterVersionAreLeftAlone) {
  Metadata metadata = with_vectors(vocabulary_of("gpt2.json"));
  metadata.set("nibble.conformance.version", uint32_t{2});
  metadata.set("nibble.conformance.ids", std::string("otherwise"));
  EXPECT_TRUE(conformance_problems(metadata, Tokenizer(vocabulary_of("gpt2.json"))).empty());
  erase_conformance(metadata);
  EXPECT_TRUE(metadata.entries().empty());
}

}  // namespace
}  // namespace nibble
