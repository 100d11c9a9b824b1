// Tasks: questions with right answers, in lm-evaluation-harness's protocol (docs/guides/tasks.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/model.h"

namespace nibble {

// What can stand before "=FILE".
struct TaskKindInfo {
  std::string_view name;
  std::string_view what;
};
std::vector<TaskKindInfo> task_kind_infos();

struct TaskOptions {
  int64_t shots = 0;                 // examples before each item, where its kind takes some
  std::filesystem::path shots_from;  // a file of the same kind; empty: the items' own file
  std::string shot_order;            // "sampled" or "first"; empty: as the harness has it
  int64_t limit = 0;                 // items of each task, the first ones; 0: all
  int64_t context = 0;               // tokens that an item may have; 0: as many as were trained
  // Ask by the model's own chat template: examples are turns of the chat, or with one_message they
  // and the item are one message. Not for the files of llama-perplexity (kUsage).
  bool chat_template = false;
  bool one_message = false;
  // Of "exact" and "checks": what "answer" does not look at.
  bool ignore_case = false;
  bool ignore_punctuation = false;
  bool ignore_numbers = false;
};

// A task that was read and checked.
class Task {
 public:
  // "KIND=FILE", or "prompts", which is built in. Errors: kUsage for an unknown kind, an option
  // that makes no sense; kInvalidFile, naming file and line, for what does not fit the kind, and
  // for items without a right answer; kNotFound, kIo.
  Task(std::string_view kind_and_file, const TaskOptions& options = {});
  ~Task();
  Task(Task&&) noexcept;
  Task& operator=(Task&&) noexcept;

  std::string_view name() const;  // the kind, or "prompts"
  std::string_view file() const;  // empty if built in

  struct Parts;  // what the library itself works with
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

struct TaskScore {
  std::string name;  // "acc", "acc_norm", "acc_token", "exact_match", "pass_rate"; or a group's
  double mean = 0;   // 0 to 1
  std::optional<double> error;  // its standard error (sample, n - 1); none for a single item
  int64_t items = 0;
};

struct TaskItemResult {
  std::string id;
  std::string group;
  std::vector<size_t> right;            // choices
  std::vector<double> log_likelihoods;  // of each choice: natural logarithm, summed over its tokens
  std::vector<size_t> choices;          // the model's, by each score of the task
  std::string answer;                   // what was generated
  std::vector<double> scores;           // for each score of the task: 1 right, 0 wrong, or a share
};

struct TaskResult {
  std::string name;  // the kind, or "prompts"
  std::string file;
  int64_t shots = 0;
  bool chat_template = false;         // asked by the model's own
  std::vector<TaskScore> scores;      // of all items
  std::vector<TaskScore> groups;      // the first of these for each subject or group, if several
  std::vector<TaskItemResult> items;  // in the order of the file
  int64_t processed_tokens = 0;       // read by the model, each shared beginning once
  double seconds = 0;
};

// `kv_type` of the KV cache: f32, f16, bf16, q8_0 or q4_0, or two of them as "q8_0/q4_0" for keys
// and values. Errors: kUsage when an item does not fit the context, there are not enough
// examples, or the model has no chat template or one that refuses them; kInvalidFile when the model
// computes what is no number.
TaskResult evaluate_task(const Model& model, const Task& task, std::string_view kv_type = "f16",
                         const RunOptions& run = {});

// A score beside a reference's, item by item.
struct TaskDifference {
  double mean = 0;              // of score - reference's score
  std::optional<double> error;  // standard error of the mean of the items' differences
  double agreement = 0;         // share of items with the same choice, or the same verdict
};
// One for each of the scores. Both are results of the same task.
std::vector<TaskDifference> compare_tasks(const TaskResult& result, const TaskResult& reference);

}  // namespace nibble
