#include "nibble/tasks.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/input_file.h"
#include "eval/bounded_sequence.h"
#include "eval/chat_prompt.h"
#include "eval/exact_match.h"
#include "eval/few_shot.h"
#include "eval/greedy_answers.h"
#include "eval/shared_prefix.h"
#include "eval/task_kinds.h"
#include "flow/kv_type.h"
#include "flow/model.h"
#include "flow/model_chat.h"
#include "flow/run_support.h"
#include "flow/verdict.h"
#include "nibble/decide.h"

namespace nibble {

struct Task::Parts {
  const TaskKind* kind;
  std::string name, file;
  TaskItems items;
  std::vector<ChoiceItem> examples;  // of another file
  TaskOptions options;
};

namespace {

constexpr std::string_view kBuiltin = "prompts";

// An example shows a prompt and its first answer (if it has one) as a context and its choice.
std::vector<ChoiceItem> as_examples(TaskItems items) {
  for (const PromptItem& prompt : items.prompts) {
    ChoiceItem item;
    item.id = prompt.id;
    item.context = prompt.prompt;
    if (!prompt.check.answers.empty()) item.choices = {prompt.check.answers.front()};
    item.right = {0};
    items.choices.push_back(std::move(item));
  }
  return std::move(items.choices);
}

const TaskKind& require_kind(std::string_view name) {
  if (const TaskKind* kind = find_task_kind(name)) return *kind;
  std::string known;
  for (const TaskKind& kind : task_kinds()) known += fmt::format("{}=FILE, ", kind.name);
  fail(ErrorCode::kUsage, "unknown task \"{}\"; there are {}and {}", name, known, kBuiltin);
}

void check_options(const TaskKind& kind, const TaskOptions& options) {
  if (options.chat_template && kind.protocol != ChoiceProtocol::kHarness) {
    fail(ErrorCode::kUsage, "{}: files of llama-perplexity are scored without a chat template",
         kind.name);
  }
  if (options.one_message && !options.chat_template) {
    fail(ErrorCode::kUsage, "there is one message only with the model's chat template");
  }
  if (options.shots < 0 || options.limit < 0 || options.context < 0) {
    fail(ErrorCode::kUsage, "{} examples, {} items and a context of {} make no sense",
         options.shots, options.limit, options.context);
  }
  if (!options.shot_order.empty() && options.shot_order != "sampled" &&
      options.shot_order != "first") {
    fail(ErrorCode::kUsage, "unknown order of examples \"{}\"; there are sampled and first",
         options.shot_order);
  }
}

TaskItems read_file(const TaskKind& kind, const std::filesystem::path& file) {
  return kind.read(read_text_file(file), file.string());
}

ShotOrder order_of(const Task::Parts& task) {
  if (task.options.shot_order.empty()) return task.kind->order;
  return task.options.shot_order == "first" ? ShotOrder::kFirst : ShotOrder::kSampled;
}

int64_t context_of(const Model::Parts& model, const TaskOptions& options) {
  return options.context > 0 ? options.context : model.config.context_length;
}

size_t evaluated_items(const Task::Parts& task) {
  const auto limit = static_cast<size_t>(task.options.limit);
  return limit == 0 ? task.items.size() : std::min(limit, task.items.size());
}

// What chooses the examples before each item; `items` are all of the file.
FewShot few_shot_of(const Task::Parts& task, std::span<const ChoiceItem> items) {
  const bool is_own_file = task.options.shots_from.empty();
  const size_t shots =
      task.kind->takes_examples ? static_cast<size_t>(task.options.shots) : size_t{0};
  return FewShot(is_own_file ? items : task.examples, is_own_file, shots, order_of(task));
}

TaskItemResult choice_result(const ChoiceItem& item, std::span<const ScoredText> texts,
                             const std::vector<double>& sums,
                             std::span<const ChoiceMetric> metrics) {
  TaskItemResult result;
  result.id = item.id;
  result.group = item.subject;
  result.right = item.right;
  result.log_likelihoods = sums;
  for (const ChoiceMetric& metric : metrics) {
    const ChoiceOutcome outcome = choose(item, texts, sums, metric.measure);
    result.choices.push_back(outcome.choice);
    result.scores.push_back(outcome.score);
  }
  return result;
}

size_t most_texts(std::span<const std::vector<ScoredText>> groups) {
  size_t most = 0;
  for (const auto& group : groups) most = std::max(most, group.size());
  return most;
}

size_t longest_text(std::span<const std::vector<ScoredText>> groups) {
  size_t longest = 0;
  for (const auto& group : groups) {
    for (const ScoredText& text : group) longest = std::max(longest, text.tokens.size());
  }
  return longest;
}

// Tokens that do not leave room for the answer go in front.
GreedyPrompt greedy_prompt(const Model::Parts& model, const PromptItem& item,
                           const std::string& text, int64_t context) {
  if (item.max_tokens >= context) {
    fail(ErrorCode::kUsage,
         "item {}: an answer of {} tokens leaves no room for a prompt in a context of {}", item.id,
         item.max_tokens, context);
  }
  GreedyPrompt prompt{encode_with_control(*model.tokenizer, text), item.stops, item.max_tokens};
  if (prompt.tokens.empty()) fail(ErrorCode::kUsage, "item {}: the prompt is empty", item.id);
  const auto kept = std::min(static_cast<size_t>(context - item.max_tokens), prompt.tokens.size());
  prompt.tokens.erase(prompt.tokens.begin(), prompt.tokens.end() - static_cast<ptrdiff_t>(kept));
  return prompt;
}

// A task's items as a model reads them: what is asked of them can be answered in any order.
class TaskRun {
 public:
  TaskRun(const Model& model, const Task::Parts& task, std::string_view kv_type)
      : model_(model.parts()), task_(task), kv_types_(kv_types_from_name(kv_type)) {
    check_kv_types(model_.config, kv_types_, model.path().string());
    if (task.options.chat_template) {
      template_.emplace(chat_template_of(model_));
      chat_.emplace(*template_, task.options.one_message);
    }
    if (task.items.prompts.empty()) {
      prepare_choices();
    } else {
      prepare_prompts();
    }
  }

  // In the order of `items`, which are numbers of them. `on_items` is told how many more are done.
  std::vector<TaskItemResult> answer(std::span<const size_t> items,
                                     const std::function<void(uint64_t)>& on_items) {
    return scorer_ ? answer_choices(items, on_items) : answer_prompts(items, on_items);
  }

  int64_t processed_tokens() const { return scorer_ ? scorer_->read_tokens() : processed_tokens_; }

 private:
  void prepare_choices() {
    const auto longest = static_cast<size_t>(context_of(model_, task_.options));
    const std::span items = task_.items.choices;
    FewShot few_shot = few_shot_of(task_, items);
    for (const ChoiceItem& item : items.first(evaluated_items(task_))) {
      const auto texts = [&](const ChoiceItem& asked, const std::string& before) {
        return scored_texts(asked, before, *model_.tokenizer, task_.kind->protocol, longest);
      };
      groups_.push_back(chat_ ? texts(chat_->item(item, few_shot.examples(item)), "")
                              : texts(item, few_shot.prompt(item)));
    }
    scorer_.emplace(model_.config, *model_.weights, *model_.pool,
                    static_cast<int64_t>(longest_text(groups_)),
                    static_cast<int64_t>(most_texts(groups_)), kv_types_);
  }

  void prepare_prompts() {
    const std::vector<ChoiceItem> items = as_examples(task_.items);
    FewShot few_shot = few_shot_of(task_, items);
    for (size_t i = 0; i < evaluated_items(task_); ++i) {
      const std::string& asked = items[i].context;
      const std::string text = chat_ ? chat_->prompt("", few_shot.examples(items[i]), asked)
                                     : few_shot.prompt(items[i]) + asked;
      prompts_.push_back(
          greedy_prompt(model_, task_.items.prompts[i], text, context_of(model_, task_.options)));
    }
  }

  std::vector<TaskItemResult> answer_choices(std::span<const size_t> items,
                                             const std::function<void(uint64_t)>& on_items) {
    std::vector<std::vector<ScoredText>> groups;
    for (const size_t item : items) groups.push_back(groups_[item]);
    uint64_t done = 0;
    const auto sums = scorer_->score(groups, [&](int64_t now) {
      on_items(static_cast<uint64_t>(now) - done);
      done = static_cast<uint64_t>(now);
    });
    std::vector<TaskItemResult> results;
    for (size_t i = 0; i < items.size(); ++i) {
      results.push_back(
          choice_result(task_.items.choices[items[i]], groups[i], sums[i], task_.kind->metrics));
    }
    return results;
  }

  std::vector<TaskItemResult> answer_prompts(std::span<const size_t> items,
                                             const std::function<void(uint64_t)>& on_items) {
    std::vector<GreedyPrompt> prompts;
    for (const size_t item : items) prompts.push_back(prompts_[item]);
    const auto answers =
        greedy_answers(model_.config, *model_.weights, *model_.pool, *model_.tokenizer, prompts,
                       kv_types_, [&] { on_items(1); });
    const MatchOptions match = {task_.options.ignore_case, task_.options.ignore_punctuation,
                                task_.options.ignore_numbers};
    std::vector<TaskItemResult> results;
    for (size_t i = 0; i < items.size(); ++i) {
      const PromptItem& prompt = task_.items.prompts[items[i]];
      TaskItemResult& item = results.emplace_back();
      item.id = prompt.id;
      item.group = prompt.group;
      item.answer = before_stops(answers[i].text, prompt.stops);
      item.scores = {static_cast<double>(is_right_answer(prompt.check, item.answer, match))};
      processed_tokens_ += static_cast<int64_t>(prompts[i].tokens.size()) +
                           std::max<int64_t>(answers[i].tokens, 1) - 1;
    }
    return results;
  }

  const Model::Parts& model_;
  const Task::Parts& task_;
  KvTypes kv_types_;
  std::optional<ChatTemplate> template_;  // of the model, when tasks are asked by it
  std::optional<ChatPrompts> chat_;
  std::vector<std::vector<ScoredText>> groups_;  // of choices
  std::optional<SharedPrefixScorer> scorer_;
  std::vector<GreedyPrompt> prompts_;
  int64_t processed_tokens_ = 0;  // of prompts and answers
};

std::vector<size_t> all_items(const Task::Parts& task) {
  std::vector<size_t> items(evaluated_items(task));
  std::iota(items.begin(), items.end(), 0);
  return items;
}

TaskScore score_of(std::string name, const TaskResult& result, size_t index,
                   const std::string* group) {
  std::vector<double> scores;
  for (const TaskItemResult& item : result.items) {
    if (group == nullptr || item.group == *group) scores.push_back(item.scores[index]);
  }
  const MeanScore mean = mean_score(scores);
  return {std::move(name), mean.mean, mean.error, static_cast<int64_t>(scores.size())};
}

// Groups in the order in which they come; a single one is all items.
void add_scores(const TaskKind& kind, TaskResult& result) {
  if (kind.metrics.empty())
    result.scores.push_back(score_of(std::string(kind.prompt_metric), result, 0, nullptr));
  for (size_t m = 0; m < kind.metrics.size(); ++m)
    result.scores.push_back(score_of(std::string(kind.metrics[m].name), result, m, nullptr));
  std::vector<std::string> groups;
  for (const TaskItemResult& item : result.items) {
    if (std::ranges::find(groups, item.group) == groups.end()) groups.push_back(item.group);
  }
  if (groups.size() < 2) return;
  for (const std::string& group : groups)
    result.groups.push_back(score_of(group, result, 0, &group));
}

bool is_same_verdict(const TaskItemResult& a, const TaskItemResult& b, size_t index) {
  return a.choices.empty() ? a.scores[index] == b.scores[index]
                           : a.choices[index] == b.choices[index];
}

}  // namespace

std::vector<TaskKindInfo> task_kind_infos() {
  std::vector<TaskKindInfo> infos;
  for (const TaskKind& kind : task_kinds()) infos.push_back({kind.name, kind.what});
  return infos;
}

Task::Task(std::string_view kind_and_file, const TaskOptions& options)
    : parts_(std::make_unique<Parts>()) {
  const size_t equals = kind_and_file.find('=');
  const bool is_builtin = kind_and_file == kBuiltin;
  parts_->name = kind_and_file.substr(0, equals);
  parts_->kind = &require_kind(is_builtin ? "checks" : kind_and_file.substr(0, equals));
  check_options(*parts_->kind, options);
  parts_->options = options;
  if (is_builtin) {
    parts_->items = parts_->kind->read(builtin_prompts(), "the built-in prompts");
  } else {
    if (equals == std::string_view::npos || equals + 1 == kind_and_file.size())
      fail(ErrorCode::kUsage, "the task {} needs a file: {}=FILE", kind_and_file, kind_and_file);
    parts_->file = kind_and_file.substr(equals + 1);
    parts_->items = read_file(*parts_->kind, parts_->file);
  }
  if (options.shots > 0 && parts_->kind->takes_examples && !options.shots_from.empty())
    parts_->examples = as_examples(read_file(*parts_->kind, options.shots_from));
}

std::string_view Task::name() const { return parts_->name; }
std::string_view Task::file() const { return parts_->file; }

Task::~Task() = default;
Task::Task(Task&&) noexcept = default;
Task& Task::operator=(Task&&) noexcept = default;

TaskResult evaluate_task(const Model& model, const Task& task, std::string_view kv_type,
                         const RunOptions& run) {
  const Stopwatch watch;
  const Task::Parts& parts = task.parts();
  TaskResult result;
  result.name = parts.name;
  result.file = parts.file;
  result.shots = parts.kind->takes_examples ? parts.options.shots : 0;
  result.chat_template = parts.options.chat_template;
  TaskRun answers(model, parts, kv_type);
  Phase phase(run, "evaluating", "items", evaluated_items(parts));
  result.items = answers.answer(all_items(parts), [&](uint64_t more) { phase.advance(more); });
  result.processed_tokens = answers.processed_tokens();
  add_scores(*parts.kind, result);
  result.seconds = watch.seconds();
  return result;
}

TaskDecision decide_task(const Model& model, const Model& other, const Task& task,
                         const TaskDecideOptions& options, const RunOptions& run) {
  constexpr size_t kBatch = 16;  // items that are answered together
  check_within(options.within);
  const Task::Parts& parts = task.parts();
  TaskRun ours(model, parts, options.kv_type), theirs(other, parts, options.kv_type);
  const auto order = random_order(evaluated_items(parts));
  TaskDecision result;
  BoundedSequence differences;
  Phase phase(run, "comparing", "items", 2 * order.size());
  const auto advance = [&](uint64_t more) { phase.advance(more); };
  for (size_t begin = 0; begin < order.size() && result.outcome == Outcome::kUndecided;
       begin += kBatch) {
    const auto batch = std::span(order).subspan(begin, std::min(kBatch, order.size() - begin));
    const auto a = ours.answer(batch, advance), b = theirs.answer(batch, advance);
    for (size_t i = 0; i < batch.size(); ++i)
      differences.add(a[i].scores.front() - b[i].scores.front());
    result.outcome = outcome_of(differences, options.within);
  }
  result.score =
      parts.kind->metrics.empty() ? parts.kind->prompt_metric : parts.kind->metrics.front().name;
  result.difference = differences.mean();
  result.low = differences.low();
  result.high = differences.high();
  result.items = differences.count();
  result.available_items = static_cast<int64_t>(order.size());
  result.tokens = ours.processed_tokens();
  result.seconds = phase.seconds();
  return result;
}

std::vector<TaskDifference> compare_tasks(const TaskResult& result, const TaskResult& reference) {
  const size_t metrics = result.items.front().scores.size();
  std::vector<TaskDifference> comparison;
  for (size_t m = 0; m < metrics; ++m) {
    std::vector<double> differences;
    size_t same = 0;
    for (size_t i = 0; i < result.items.size(); ++i) {
      const TaskItemResult &ours = result.items[i], &theirs = reference.items[i];
      differences.push_back(ours.scores[m] - theirs.scores[m]);
      same += is_same_verdict(ours, theirs, m) ? 1 : 0;
    }
    const MeanScore mean = mean_score(differences);
    comparison.push_back({mean.mean, mean.error,
                          static_cast<double>(same) / static_cast<double>(differences.size())});
  }
  return comparison;
}

}  // namespace nibble
