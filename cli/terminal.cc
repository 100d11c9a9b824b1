#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "nibble/error.h"

namespace nibble::cli {
namespace {

std::atomic<bool> interrupt_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // it is set by a signal handler
bool bar_is_open = false;

extern "C" void on_interrupt(int signal) {
  interrupt_flag.store(true);
  std::signal(signal, SIG_DFL);
}

std::string readable_rate(double per_second) {
  for (const auto& [unit, size] : {std::pair("G", 1e9), std::pair("M", 1e6), std::pair("k", 1e3)}) {
    if (per_second >= size) return fmt::format("{:.1f} {}", per_second / size, unit);
  }
  return fmt::format("{:.0f} ", per_second);
}

std::string describe(const Progress& progress) {
  const double share = progress.total == 0 ? 1.0
                                           : static_cast<double>(progress.done) /
                                                 static_cast<double>(progress.total);
  const auto done_now = static_cast<double>(progress.done - progress.resumed);
  const double rate = progress.seconds > 0 ? done_now / progress.seconds : 0;
  const double left = rate > 0 ? static_cast<double>(progress.total - progress.done) / rate : 0;
  return fmt::format(
      "{:3.0f} %  {}{}/s  {} left", 100 * share, readable_rate(rate), progress.unit,
      left >= 90 ? fmt::format("{:.0f} min", left / 60) : fmt::format("{:.0f} s", left));
}

void draw_bar(const Progress& progress) {
  constexpr size_t kWidth = 30;
  const uint64_t total = std::max<uint64_t>(progress.total, 1);
  const auto filled =
      static_cast<size_t>(static_cast<double>(progress.done) / static_cast<double>(total) * kWidth);
  fmt::print(stderr, "\r\x1b[K{} [{}{}] {}", progress.phase, std::string(filled, '#'),
             std::string(kWidth - filled, '.'), describe(progress));
  std::fflush(stderr);
  bar_is_open = true;
  if (progress.done == progress.total) end_progress();
}

// Prints when another tenth of the phase is done.
class PlainLines {
 public:
  void operator()(const Progress& progress) {
    const uint64_t tenth = 10 * progress.done / std::max<uint64_t>(progress.total, 1);
    if (progress.phase == phase_ && tenth <= printed_) return;
    const bool is_new = progress.phase != phase_;
    phase_ = progress.phase;
    printed_ = tenth;
    if (is_new && tenth == 0) return;
    fmt::print(stderr, "{} {}\n", progress.phase, describe(progress));
  }

 private:
  std::string phase_;
  uint64_t printed_ = 0;
};

// "4.1GB": 4.1 and "GB"; a number below 0 when there is none.
std::pair<double, std::string_view> number_and_unit(std::string_view text) {
  double number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return {-1, text};
  return {number, text.substr(static_cast<size_t>(end - text.data()))};
}

class UsageFirst : public CLI::Formatter {
 public:
  explicit UsageFirst(std::string usage) : usage_(std::move(usage)) { column_width(34); }
  std::string make_usage(const CLI::App*, std::string) const override { return usage_ + "\n"; }

 private:
  std::string usage_;
};

}  // namespace

void show_usage(CLI::App& command, const std::string& text) {
  command.formatter(std::make_shared<UsageFirst>(text));
}

void catch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is seen as a failed write
}

void forget_interrupt() {
  if (interrupt_flag.exchange(false)) catch_interrupts();
}

const std::atomic<bool>& interrupted() { return interrupt_flag; }

void CommonOptions::add_to(CLI::App& command) {
  command.add_option("--threads", threads, "threads to work with (default: all CPUs)")
      ->check(CLI::Range(0, 1024))
      ->type_name("N");
  add_output_to(command);
}

void CommonOptions::add_output_to(CLI::App& command) {
  command.add_flag("--quiet", quiet, "no progress");
  command.add_flag("--json", json, "the result as JSON on stdout");
}

void add_kv_options(CLI::App& command, std::string& kv_type) {
  command
      .add_option("--kv", kv_type,
                  "type of the KV cache: f16 (default), bf16, q8_0, q4_0 or f32, or KEYS/VALUES")
      ->type_name("TYPE");
  command
      .add_option_function<std::string>(
          "--cache-type-k",
          [&kv_type](const std::string& keys) {
            const size_t slash = kv_type.find('/');
            kv_type = keys + "/" + kv_type.substr(slash == std::string::npos ? 0 : slash + 1);
          },
          "of its keys only")
      ->type_name("TYPE");
  command
      .add_option_function<std::string>(
          "--cache-type-v",
          [&kv_type](const std::string& values) {
            kv_type = kv_type.substr(0, kv_type.find('/')) + "/" + values;
          },
          "of its values only")
      ->type_name("TYPE");
}

void add_model_option(CLI::App& command, std::filesystem::path& model) {
  command.add_option("MODEL", model, "Hugging Face directory, .gguf, or .safetensors")
      ->required()
      ->type_name("");
}

void add_load_options(CLI::App& command, LoadOptions& load) {
  command.add_option("-t,--type", load.type, "quantize in memory first, as nibble quantize would")
      ->type_name("TYPE");
  command.add_flag("--no-repack{false}", load.repack,
                   "use weights where they lie in the file: less memory, slower");
  command
      .add_option("--repack-cache", load.repack_cache,
                  "keep repacked weights in this folder for the next run: starts at once")
      ->type_name("DIR");
}

LoadOptions as_stored(LoadOptions load) {
  load.type.clear();
  return load;
}

RunOptions CommonOptions::run() const {
  RunOptions options;
  options.threads = threads;
  options.cancelled = &interrupt_flag;
  if (quiet) return options;
  if (::isatty(STDERR_FILENO) != 0) {
    options.on_progress = draw_bar;
  } else {
    options.on_progress = PlainLines();
  }
  return options;
}

void show_json(const nlohmann::ordered_json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void report_problems(const std::filesystem::path& path, const std::vector<std::string>& problems) {
  constexpr size_t kMostShown = 10;
  if (problems.empty()) return;
  std::string text = fmt::format("{}: {} problem{} found", path.string(), problems.size(),
                                 problems.size() == 1 ? "" : "s");
  for (size_t i = 0; i < std::min(problems.size(), kMostShown); ++i) text += "\n  " + problems[i];
  if (problems.size() > kMostShown) text += "\n  ... (--json lists them all)";
  throw Error(ErrorCode::kInvalidFile, text);
}

std::vector<std::string> show_warnings(const std::filesystem::path& model,
                                       std::vector<std::string> problems) {
  for (const std::string& problem : problems)
    fmt::print(stderr, "warning: {}: {}\n", model.string(), problem);
  return problems;
}

void end_progress() {
  if (!bar_is_open) return;
  std::fputc('\n', stderr);
  bar_is_open = false;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file || std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("{}: cannot read the text: {}", path.string(), std::strerror(errno)));
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

uint64_t parse_bytes(const std::string& text) {
  // llama-gguf-split writes 2G.
  static constexpr auto kUnits =
      std::to_array<std::pair<std::string_view, double>>({{"KiB", 0x1p10},
                                                          {"MiB", 0x1p20},
                                                          {"GiB", 0x1p30},
                                                          {"TiB", 0x1p40},
                                                          {"KB", 1e3},
                                                          {"MB", 1e6},
                                                          {"GB", 1e9},
                                                          {"TB", 1e12},
                                                          {"K", 1e3},
                                                          {"M", 1e6},
                                                          {"G", 1e9},
                                                          {"B", 1},
                                                          {"", 1}});
  const auto [number, unit] = number_and_unit(text);
  for (const auto& [name, size] : kUnits) {
    if (unit == name && number >= 0 && number * size < 0x1p62)
      return static_cast<uint64_t>(number * size);
  }
  throw CLI::ValidationError("\"" + text +
                             "\" is no size; write 512MiB, 2GiB, 4.1GB or plain bytes");
}

double parse_share(const std::string& text) {
  const auto [number, unit] = number_and_unit(text);
  const double share = unit == "%" ? number / 100 : number;
  if ((unit.empty() || unit == "%") && share > 0 && share <= 1) return share;
  throw CLI::ValidationError("\"" + text + "\" is no share; write 1% or 0.01");
}

}  // namespace nibble::cli
