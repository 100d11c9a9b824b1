#include "eval/task_records.h"

#include <gtest/gtest.h>

#include <map>

#include "eval/prompt_records.h"
#include "eval/task_kinds.h"
#include "support/files.h"

namespace nibble {
namespace {

using Strings = std::vector<std::string>;

ChoiceItem only(const TaskItems& items) {
  EXPECT_EQ(items.choices.size(), 1u);
  return items.choices.front();
}

TEST(TaskRecords, CleanHellaSwagsTexts) {
  const auto item = only(read_hellaswag(
      R"({"activity_label": "Home", "ctx_a": " [header] How to [title] Sit  down. [step] Now.",)"
      R"( "ctx_b": "THE cat", "endings": ["[substeps] sits.", "is [a\nb] odd"], "label": "1"})",
      "h"));
  EXPECT_EQ(item.context, "Home:  How to. Sit down. Now. The cat");
  EXPECT_EQ(item.choices, (Strings{" sits.", "is [a\nb] odd"}));
  EXPECT_EQ(item.right, std::vector<size_t>{1});
}

TEST(TaskRecords, PutWinoGrandesOptionsIntoTheGap) {
  const auto item = only(read_winogrande(
      R"({"qID": "x-1", "sentence": "As _ fell, it broke.", "option1": "cup", "option2": "mat",)"
      R"( "answer": "1"})",
      "w"));
  EXPECT_EQ(item.id, "x-1");
  EXPECT_EQ(item.choices, (Strings{"As cup", "As mat"}));
  EXPECT_EQ(item.ending, "fell, it broke.");
  EXPECT_EQ(item.right, std::vector<size_t>{0});
}

TEST(TaskRecords, FindArcsAnswerByItsLabel) {
  const auto hub = only(read_arc(
      R"({"id": "a", "question": "Q?", "choices": {"text": ["x", "y"], "label": ["1", "2"]},)"
      R"( "answerKey": "2"})",
      "a"));
  EXPECT_EQ(hub.context, "Question: Q?\nAnswer:");
  EXPECT_EQ(hub.right, std::vector<size_t>{1});
  const auto published = only(
      read_arc(R"({"id": "a", "question": {"stem": "Q?", "choices": [{"text": "x", "label": "1"},)"
               R"( {"text": "y", "label": "2"}]}, "answerKey": "2"})",
               "a"));
  EXPECT_EQ(published, hub);
}

TEST(TaskRecords, AskForTheLettersOfMmlu) {
  const auto item = only(read_mmlu(
      R"({"question": "Q? ", "subject": "high_school", "choices": ["x", "y"], "answer": "B"})",
      "m"));
  EXPECT_EQ(item.opening,
            "The following are multiple choice questions (with answers) about high school.\n\n");
  EXPECT_EQ(item.context, "Q?\nA. x\nB. y\nAnswer:");
  EXPECT_EQ(item.choices, (Strings{"A", "B"}));
  EXPECT_EQ(item.right, std::vector<size_t>{1});
}

TEST(TaskRecords, KnowSeveralRightChoices) {
  const std::string record =
      R"({"question": "Q?", "mc2_targets": {"choices": ["x", "y", "z"], "labels": [1, 0, 1]}})";
  EXPECT_EQ(only(read_truthfulqa_mc2(record, "t")).right, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(only(read_multiple_choice(R"({"context":"c","choices":["x","y"],"answer":[1,0]})", "m"))
                .right,
            (std::vector<size_t>{1, 0}));
}

TEST(TaskRecords, NameItemsByTheirNumberUnlessTheyHaveNames) {
  const auto items = read_exact(
                         "{\"prompt\":\"p\",\"answer\":\"a\"}\n\n"
                         "{\"prompt\":\"p\",\"answer\":[\"a\",\"b\"],\"id\":7,\"stop\":[]}\n",
                         "e")
                         .prompts;
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].id, "0");
  EXPECT_EQ(items[0].stops, Strings{"\n\n"});
  EXPECT_EQ(items[0].max_tokens, 256);
  EXPECT_EQ(items[1].id, "7");
  EXPECT_TRUE(items[1].stops.empty());
  EXPECT_EQ(items[1].check.answers, (Strings{"a", "b"}));
}

struct Bad {
  const char* kind;
  std::string text;
  std::vector<std::string> fragments;
};

class BadTaskRecords : public testing::TestWithParam<Bad> {};

TEST_P(BadTaskRecords, AreRefusedWithTheirLine) {
  const auto& [kind, text, fragments] = GetParam();
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, fragments,
                         [&, &t = text, &k = kind] { find_task_kind(k)->read(t, "f.jsonl"); }));
}

const std::string kGood = "{\"context\":\"c\",\"choices\":[\"x\",\"y\"],\"answer\":0}\n";

INSTANTIATE_TEST_SUITE_P(
    Kinds, BadTaskRecords,
    testing::Values(
        Bad{"mc", "", {"f.jsonl", "no records"}}, Bad{"mc", " \n\n", {"no records"}},
        Bad{"mc", kGood + "{\"context\"", {"f.jsonl, line 2", "not valid JSON"}},
        Bad{"mc", kGood + "\n[1]\n", {"f.jsonl, line 3", "expected an object"}},
        Bad{"mc",
            kGood + "{\"id\":0,\"context\":\"c\",\"choices\":[\"x\",\"y\"],\"answer\":0}",
            {"line 2", "second item", "\"0\""}},
        Bad{"mc", R"({"choices":["x","y"],"answer":0})", {"line 1", "\"context\" is missing"}},
        Bad{"mc", R"({"question":"q","context":"c","choices":["x","y"],"answer":0})", {"both"}},
        Bad{"mc", R"({"context":"c","choices":["x"],"answer":0})", {"found 1 choices"}},
        Bad{"mc", R"({"context":"c","choices":["x",1],"answer":0})", {"no list of strings"}},
        Bad{"mc",
            R"({"context":"c","choices":["x","y"],"answer":2})",
            {"line 1", "\"answer\" is 2, expected 0 to 1"}},
        Bad{"mc", R"({"context":"c","choices":["x","y"],"answer":-1})", {"no right answer"}},
        Bad{"mc", R"({"context":"c","choices":["x","y"]})", {"no right answer"}},
        Bad{"mc", R"({"context":"c","choices":["x","y"],"answer":"x"})", {"expected 0 to 1"}},
        Bad{"mc", R"({"context":"c","choices":["x","y"],"answer":[]})", {"no right answer"}},
        Bad{"hellaswag",
            R"({"activity_label":"l","ctx_a":"a","ctx_b":"b","endings":["x","y"],"label":""})",
            {"\"label\"", "validation split"}},
        Bad{"winogrande",
            R"({"sentence":"no gap","option1":"a","option2":"b","answer":"1"})",
            {"has no _"}},
        Bad{"winogrande",
            R"({"sentence":"the _ ","option1":"a","option2":"b","answer":"1"})",
            {"nothing follows"}},
        Bad{"winogrande",
            R"({"sentence":"_ is","option1":"a","option2":"b","answer":"3"})",
            {"expected 1 to 2"}},
        Bad{"arc",
            R"({"question":"q","choices":{"text":["x","y"],"label":["A","B"]},"answerKey":"C"})",
            {"labels no choice"}},
        Bad{"arc",
            R"({"question":"q","choices":{"text":["x","y"],"label":["A"]},"answerKey":"A"})",
            {"2 choices and 1 labels"}},
        Bad{"mmlu", R"({"question":"q","choices":["x","y"],"answer":"C"})", {"expected 0 to 1"}},
        Bad{"truthfulqa-mc1",
            R"({"question":"q","mc1_targets":{"choices":["x","y"],"labels":[1,1]}})",
            {"2 choices with the label 1"}},
        Bad{"truthfulqa-mc2",
            R"({"question":"q","mc2_targets":{"choices":["x","y"],"labels":[0,0]}})",
            {"0 choices with the label 1"}},
        Bad{"truthfulqa-mc2",
            R"({"question":"q","mc2_targets":{"choices":["x","y"],"labels":[1]}})",
            {"one label for each"}},
        Bad{"exact", R"({"prompt":"p"})", {"\"answer\"", "no right answer"}},
        Bad{"exact", R"({"prompt":"p","answer":"a","max_tokens":0})", {"\"max_tokens\" is 0"}},
        Bad{"checks", R"({"prompt":"p"})", {"no right answer"}},
        Bad{"checks", R"({"prompt":"p","regex":"("})", {"line 1", "\"regex\""}},
        Bad{"checks",
            "{\"prompt\":\"p\",\"regex\":\"" + std::string(501, '(') + "\"}",
            {"more than 500 bytes"}}));

TEST(TaskKinds, HaveNamesOfTheirOwnAndOneWayToScore) {
  for (const TaskKind& kind : task_kinds()) {
    EXPECT_EQ(find_task_kind(kind.name), &kind);
    EXPECT_NE(kind.metrics.empty(), kind.prompt_metric.empty()) << kind.name;
  }
  EXPECT_EQ(find_task_kind("prompts"), nullptr);
}

// The first byte of a seed is the kind; "large_count" was a finding.
TEST(TaskKinds, ReadTheSeedsOfTheFuzzer) {
  for (const auto& seed : fuzz_seeds("tasks")) {
    const std::string bytes = read_file(seed);
    const TaskKind& kind = task_kinds()[static_cast<unsigned char>(bytes[0]) % task_kinds().size()];
    const auto read = [&] { return kind.read(std::string_view(bytes).substr(1), seed.string()); };
    if (seed.stem() == "large_count") {
      EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"three digits"}, [&] { read(); }));
    } else {
      EXPECT_GT(read().size(), 0u) << seed;
    }
  }
}

TEST(BuiltinPrompts, AreOfFourGroupsOfOneSize) {
  const auto prompts = read_checks(builtin_prompts(), "prompts").prompts;
  std::map<std::string, int> sizes;
  for (const PromptItem& prompt : prompts) ++sizes[prompt.group];
  const std::map<std::string, int> expected = {
      {"arithmetic", 8}, {"code", 8}, {"json", 8}, {"logic", 8}};
  EXPECT_EQ(sizes, expected);
}

}  // namespace
}  // namespace nibble
