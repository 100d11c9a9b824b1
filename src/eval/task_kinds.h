// The kinds of tasks: one row each. The names are what users write before "=FILE".
#pragma once

#include <span>
#include <string_view>

#include "eval/choice_score.h"
#include "eval/few_shot.h"
#include "eval/scored_text.h"
#include "eval/task_item.h"

namespace nibble {

struct ChoiceMetric {
  std::string_view name;
  ChoiceMeasure measure;
};

struct TaskKind {
  std::string_view name;
  std::string_view what;  // for help
  TaskItems (*read)(std::string_view bytes, std::string_view file);

  // Of multiple choice; the first metric's choice is the item's.
  std::span<const ChoiceMetric> metrics;
  ChoiceProtocol protocol = ChoiceProtocol::kHarness;
  // Of prompts: what the share of right answers is called.
  std::string_view prompt_metric;

  bool takes_examples = false;  // few-shot
  ShotOrder order = ShotOrder::kSampled;
};

std::span<const TaskKind> task_kinds();
const TaskKind* find_task_kind(std::string_view name);  // nullptr: there is none

// The prompts that are built in (assets/prompts.jsonl), of kind "checks".
std::string_view builtin_prompts();

}  // namespace nibble
