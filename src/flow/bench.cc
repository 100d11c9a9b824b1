#include "nibble/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "base/statistics.h"
#include "flow/bench_store.h"
#include "flow/kv_type.h"
#include "flow/model.h"
#include "flow/model_fingerprint.h"
#include "flow/run_support.h"
#include "infer/sequences.h"
#include "infer/session.h"
#include "kernel/machine_limits.h"
#include "model/forward_work.h"

namespace nibble {
namespace {

struct Test {
  int64_t prompt;
  int64_t generated;
  int64_t tokens() const { return prompt + generated; }
};

// One number of threads, with what they can do.
struct Crew {
  std::unique_ptr<ThreadPool> pool;
  MachineLimits limits;
};

std::vector<Test> tests_of(const BenchOptions& options) {
  std::vector<Test> tests;
  for (const int64_t tokens : options.prompts) {
    if (tokens > 0) tests.push_back({tokens, 0});
  }
  for (const int64_t tokens : options.generated) {
    if (tokens > 0) tests.push_back({0, tokens});
  }
  for (const auto& [prompt, generated] : options.prompts_then_generated)
    tests.push_back({prompt, generated});
  return tests;
}

int64_t longest(const std::vector<Test>& tests) {
  return std::max_element(tests.begin(), tests.end(),
                          [](const Test& a, const Test& b) { return a.tokens() < b.tokens(); })
      ->tokens();
}

void check_options(std::span<const std::filesystem::path> models, const BenchOptions& options) {
  for (const auto* list : {&options.prompts, &options.generated, &options.depths}) {
    for (const int64_t tokens : *list) {
      if (tokens < 0 || tokens > INT32_MAX)
        fail(ErrorCode::kUsage, "{} tokens are not possible", tokens);
    }
  }
  for (const auto& [prompt, generated] : options.prompts_then_generated) {
    if (std::min(prompt, generated) < 1 || std::max(prompt, generated) > INT32_MAX) {
      fail(ErrorCode::kUsage, "a prompt of {} tokens and {} generated ones is not possible", prompt,
           generated);
    }
  }
  if (models.empty() || tests_of(options).empty() || options.depths.empty() ||
      options.kv_types.empty() || options.sequences.empty()) {
    fail(ErrorCode::kUsage, "nothing to measure: give a model, and -p or -n above 0");
  }
  for (const int64_t sequences : options.sequences) {
    if (sequences < 1 || sequences > Session::kBatch) {
      fail(ErrorCode::kUsage, "{} sequences are not possible; 1 to {} are", sequences,
           Session::kBatch);
    }
  }
  if (options.repetitions < 1)
    fail(ErrorCode::kUsage, "{} repetitions: at least 1 is needed", options.repetitions);
  for (const std::string& types : options.kv_types) kv_types_from_name(types);
  if (options.store.empty() && !(options.label.empty() && options.compare.empty()))
    fail(ErrorCode::kUsage, "a label or a comparison needs a store: give --store FILE");
}

std::unique_ptr<BenchStore> open_store(const BenchOptions& options, const BenchReport& report) {
  if (options.store.empty()) return nullptr;
  auto store =
      std::make_unique<BenchStore>(options.store, report.machine, report.version, options.label);
  if (!options.compare.empty() && !store->has(options.compare)) {
    fail(ErrorCode::kNotFound, "{}: no results have the label or version \"{}\" to compare with",
         options.store.string(), options.compare);
  }
  return store;
}

// What can be known without loading: hours may have gone into the models before.
void check_model(const std::filesystem::path& path, const BenchOptions& options,
                 int64_t positions) {
  const ModelSource source = open_model(path);
  const ModelConfig config = config_from_metadata(source.metadata);
  for (const std::string& types : options.kv_types)
    check_kv_types(config, kv_types_from_name(types), path.string());
  if (positions > config.context_length) {
    fail(ErrorCode::kUsage,
         "{}: depth and test together are {} tokens, the model was trained for {}; make -d, -p or "
         "-n smaller",
         path.string(), positions, config.context_length);
  }
}

std::vector<Crew> make_crews(const BenchOptions& options, BenchReport& report) {
  std::vector<Crew> crews;
  for (const int threads : options.threads.empty() ? std::vector{0} : options.threads) {
    Crew& crew = crews.emplace_back(Crew{std::make_unique<ThreadPool>(threads), {}});
    if (!options.limits) continue;
    crew.limits = measure_limits(*crew.pool);
    report.limits.push_back({crew.pool->count(), crew.limits.read_bytes_per_second,
                             crew.limits.integer_products_per_second,
                             crew.limits.float_products_per_second});
  }
  return crews;
}

std::vector<uint32_t> random_tokens(int64_t count, int64_t vocab_size) {
  Random random(1);
  std::vector<uint32_t> tokens(static_cast<size_t>(count));
  for (uint32_t& token : tokens) {
    token = static_cast<uint32_t>(random.next() % static_cast<uint64_t>(vocab_size));
  }
  return tokens;
}

// Sequences at some depth that the tests begin at, again and again.
class Track {
 public:
  Track(const Model::Parts& parts, ThreadPool& pool, KvTypes kv_types, int64_t sequences,
        int64_t depth, int64_t longest, Phase& phase)
      : sequences_(parts.config, *parts.weights, pool, sequences, depth + longest, kv_types),
        tokens_(random_tokens(sequences + std::max(depth, longest), parts.weights->vocab_size())),
        depth_(depth),
        phase_(phase) {
    read(depth, 0);
  }

  // Seconds that it takes.
  double run(const Test& test) {
    for (int64_t i = 0; i < sequences_.count(); ++i) sequences_.rewind(i, depth_);
    const Stopwatch watch;
    if (test.prompt > 0) read(test.prompt, 1);
    for (int64_t i = 0; i < test.generated; ++i) {
      for (int64_t k = 0; k < sequences_.count(); ++k) next_.push_back({k, tokens(k, i, 1), 1});
      feed();
    }
    return watch.seconds();
  }

 private:
  // Of each sequence others.
  std::span<const uint32_t> tokens(int64_t sequence, int64_t begin, int64_t count) const {
    return std::span(tokens_).subspan(static_cast<size_t>(sequence + begin),
                                      static_cast<size_t>(count));
  }

  // In batches, so that one can stop between them; only the last of a sequence has logits.
  void read(int64_t count, int64_t wanted) {
    int64_t room = Session::kBatch;
    for (int64_t k = 0; k < sequences_.count(); ++k) {
      for (int64_t begin = 0; begin < count;) {
        const int64_t taken = std::min(room, count - begin);
        next_.push_back({k, tokens(k, begin, taken), begin + taken == count ? wanted : 0});
        begin += taken;
        room -= taken;
        if (room > 0) continue;
        feed();
        room = Session::kBatch;
      }
    }
    if (!next_.empty()) feed();
  }

  void feed() {
    sequences_.feed(next_);
    uint64_t count = 0;
    for (const Sequences::Next& next : next_) count += next.tokens.size();
    next_.clear();
    phase_.advance(count);
  }

  Sequences sequences_;
  std::vector<uint32_t> tokens_;
  std::vector<Sequences::Next> next_;
  int64_t depth_;
  Phase& phase_;
};

// What a session is made for; all tests run in each.
struct Setting {
  const Crew* crew;
  KvTypes kv_types;
  int64_t depth;
  int64_t sequences;
};

// A test's prompt or its generation, and what it waits for: generation for memory until there are
// many sequences, prompts for products.
struct Part {
  ForwardWork work;
  bool is_generation;

  bool waits_for_memory(const MachineLimits& limits) const {
    return is_generation && read_seconds(limits) > product_seconds(limits);
  }
  std::string_view limit(const MachineLimits& limits) const {
    if (waits_for_memory(limits)) return "read";
    if (work.float_products == 0) return "int8";
    return work.integer_products == 0 ? "fp32" : "int8+fp32";
  }
  double read_seconds(const MachineLimits& limits) const {
    return static_cast<double>(work.read_bytes) / limits.read_bytes_per_second;
  }
  double product_seconds(const MachineLimits& limits) const {
    return static_cast<double>(work.integer_products) / limits.integer_products_per_second +
           static_cast<double>(work.float_products) / limits.float_products_per_second;
  }
};

std::vector<Part> parts_of(const Test& test, const Model::Parts& model, const Setting& setting) {
  const auto& [crew, kv_types, depth, sequences] = setting;
  std::vector<Part> parts;
  if (test.prompt > 0) {
    parts.push_back(
        {forward_work(model.config, *model.weights, kv_types, depth, test.prompt, 1, sequences),
         false});
  }
  if (test.generated > 0) parts.push_back({{}, true});
  for (int64_t i = 0; i < test.generated; ++i) {
    parts.back().work += forward_work(model.config, *model.weights, kv_types,
                                      depth + test.prompt + i, 1, 1, sequences);
  }
  return parts;
}

// How near each repetition comes to its limit. Products are measured again between repetitions: on
// shared machines they change within seconds.
class Limit {
 public:
  Limit(std::vector<Part> parts, const Crew& crew)
      : parts_(std::move(parts)),
        crew_(crew),
        has_products_(std::ranges::any_of(
            parts_, [&](const Part& part) { return !part.waits_for_memory(crew.limits); })),
        before_(now()) {}

  std::string name() const {
    std::string name;
    for (const Part& part : parts_)
      fmt::format_to(std::back_inserter(name), "{}{}", name.empty() ? "" : "+",
                     part.limit(crew_.limits));
    return name;
  }
  double seconds() const { return seconds(crew_.limits); }
  // After a repetition.
  void compare(double taken) {
    const MachineLimits after = now();
    shares_.push_back((seconds(before_) + seconds(after)) / 2 / taken);
    before_ = after;
  }
  double share() const { return summarize(shares_).median; }

 private:
  MachineLimits now() const {
    return has_products_ ? products_now(crew_.limits, *crew_.pool) : crew_.limits;
  }
  double seconds(const MachineLimits& limits) const {
    double sum = 0;
    for (const Part& part : parts_) {
      sum += part.waits_for_memory(crew_.limits) ? part.read_seconds(limits)
                                                 : part.product_seconds(limits);
    }
    return sum;
  }

  std::vector<Part> parts_;
  const Crew& crew_;
  bool has_products_;
  MachineLimits before_;
  std::vector<double> shares_;
};

// As llama-bench does: a prompt once, or one token.
Test warm_up_of(const Test& test) { return {test.prompt, std::min<int64_t>(test.generated, 1)}; }

BenchResult measure(Track& track, const Test& test, const BenchOptions& options,
                    std::vector<Part> parts, const Crew& crew, BenchResult result) {
  result.prompt = test.prompt;
  result.generated = test.generated;
  const auto tokens = static_cast<double>(result.sequences * test.tokens());
  track.run(warm_up_of(test));
  std::optional<Limit> limit;
  if (options.limits) limit.emplace(std::move(parts), crew);
  for (int i = 0; i < options.repetitions; ++i) {
    const double seconds = track.run(test);
    result.samples.push_back(tokens / seconds);
    if (limit) limit->compare(seconds);
  }
  if (limit) {
    result.limited_by = limit->name();
    result.limit_tokens_per_second = tokens / limit->seconds();
    result.share_of_limit = limit->share();
  }
  const Summary summary = summarize(result.samples);
  result.mean = summary.mean;
  result.deviation = summary.deviation;
  result.median = summary.median;
  result.peak_memory_bytes = peak_memory_bytes();
  return result;
}

BenchResult describe(const Model& model, const std::string& load_type) {
  BenchResult result;
  const Model::Parts& parts = model.parts();
  const TensorSource& tensors = parts.quantized ? *parts.quantized : parts.source.tensors();
  std::map<DType, uint64_t> weights;
  for (const TensorInfo& tensor : tensors.tensors()) {
    weights[tensor.type] += tensor.shape.count();
    result.parameters += tensor.shape.count();
  }
  const auto most =
      std::max_element(weights.begin(), weights.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  result.model = model.path();
  result.file_hash = model_fingerprint(parts.source.files());
  result.load_type = load_type;
  result.repacked = model.is_repacked();
  result.type = dtype_name(most->first);
  result.weight_bytes = model.weight_bytes();
  result.load_seconds = model.load_seconds();
  return result;
}

std::vector<Setting> settings_of(const BenchOptions& options, const std::vector<Crew>& crews) {
  std::vector<Setting> settings;
  for (const Crew& crew : crews) {
    for (const std::string& kv_types : options.kv_types) {
      for (const int64_t depth : options.depths) {
        for (const int64_t sequences : options.sequences)
          settings.push_back({&crew, kv_types_from_name(kv_types), depth, sequences});
      }
    }
  }
  return settings;
}

uint64_t tokens_in_all(const std::vector<Setting>& settings, const std::vector<Test>& tests,
                       int repetitions) {
  int64_t tokens = 0;
  for (const Test& test : tests) tokens += warm_up_of(test).tokens() + repetitions * test.tokens();
  int64_t sum = 0;
  for (const Setting& setting : settings) sum += setting.sequences * (setting.depth + tokens);
  return static_cast<uint64_t>(sum);
}

void keep(BenchStore& store, const BenchOptions& options, BenchResult& result) {
  if (!options.compare.empty()) result.change = store.compare(result, options.compare);
  store.append(result);
}

void measure_model(const std::filesystem::path& path, const BenchOptions& options,
                   const std::vector<Crew>& crews, BenchStore* store, BenchReport& report,
                   const std::function<void(const BenchReport&)>& on_result) {
  const std::vector<Test> tests = tests_of(options);
  const std::vector<Setting> settings = settings_of(options, crews);
  LoadOptions load = options.load;
  load.run.threads = 0;
  for (const Crew& crew : crews) load.run.threads = std::max(load.run.threads, crew.pool->count());
  reset_peak_memory();
  const Model model(path, load);
  const BenchResult description = describe(model, load.type);
  Phase phase(load.run, "measuring", "tokens", tokens_in_all(settings, tests, options.repetitions));
  for (const Setting& setting : settings) {
    const auto& [crew, kv_types, depth, sequences] = setting;
    Track track(model.parts(), *crew->pool, kv_types, sequences, depth, longest(tests), phase);
    for (const Test& test : tests) {
      BenchResult result = description;
      result.threads = crew->pool->count();
      result.kv_type = kv_types_name(kv_types);
      result.depth = depth;
      result.sequences = sequences;
      result = measure(track, test, options, parts_of(test, model.parts(), setting), *crew,
                       std::move(result));
      if (store != nullptr) keep(*store, options, result);
      report.results.push_back(std::move(result));
      if (on_result) on_result(report);
    }
  }
}

}  // namespace

std::string BenchResult::test() const {
  return (prompt > 0 ? fmt::format("pp{}", prompt) : "") +
         (prompt > 0 && generated > 0 ? "+" : "") +
         (generated > 0 ? fmt::format("tg{}", generated) : "") +
         (sequences > 1 ? fmt::format(" x{}", sequences) : "") +
         (depth > 0 ? fmt::format(" @ d{}", depth) : "");
}

BenchReport bench(std::span<const std::filesystem::path> models, const BenchOptions& options,
                  const std::function<void(const BenchReport&)>& on_result) {
  check_options(models, options);
  const int64_t positions =
      *std::max_element(options.depths.begin(), options.depths.end()) + longest(tests_of(options));
  for (const auto& model : models) check_model(model, options, positions);
  BenchReport report;
  report.version = NIBBLE_VERSION;
  report.machine = this_machine();
  report.compared_with = options.compare;
  const std::unique_ptr<BenchStore> store = open_store(options, report);
  const std::vector<Crew> crews = make_crews(options, report);
  for (const auto& model : models)
    measure_model(model, options, crews, store.get(), report, on_result);
  return report;
}

}  // namespace nibble
