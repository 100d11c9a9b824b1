#include "cli/chat.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/terminal.h"
#include "nibble/error.h"

namespace nibble::cli {
namespace {

constexpr const char* kHelp =
    "  /help          this list\n"
    "  /system TEXT   what the model is told before the conversation; without TEXT: nothing\n"
    "  /regenerate    another answer to the last message\n"
    "  /clear         forget the conversation\n"
    "  /exit          leave, as does the end of the input (Ctrl-D)\n"
    "A line that ends with \\ goes on with the next; \"\"\" begins and ends a message of many "
    "lines.\n"
    "Ctrl-C stops an answer; where you type it leaves.\n";

// Lines of stdin; waiting for one ends when the user interrupts.
class Lines {
 public:
  Lines() : is_terminal_(isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) {}

  std::optional<std::string> next(const char* prompt) {
    if (is_terminal_) {
      fmt::print("{}", prompt);
      std::fflush(stdout);
    }
    size_t end;
    while ((end = pending_.find('\n')) == std::string::npos) {
      if (interrupted().load() || !read_more()) return last_line();
    }
    std::string line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    return line;
  }

 private:
  // False at the end of the input.
  bool read_more() {
    constexpr int kMilliseconds = 100;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kMilliseconds) <= 0) return true;  // look whether there was an interrupt
    std::array<char, 4096> bytes{};
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count <= 0) return false;
    pending_.append(bytes.data(), static_cast<size_t>(count));
    return true;
  }

  std::optional<std::string> last_line() {
    if (pending_.empty() || interrupted().load()) return std::nullopt;
    return std::exchange(pending_, "");
  }

  bool is_terminal_;
  std::string pending_;
};

// One message: a line, lines joined by a backslash, or what stands between two """.
std::optional<std::string> read_message(Lines& lines) {
  constexpr std::string_view kQuotes = "\"\"\"";
  auto line = lines.next("> ");
  if (!line) return std::nullopt;
  std::string text;
  if (line->starts_with(kQuotes)) {
    text = line->substr(kQuotes.size());
    while (!text.ends_with(kQuotes)) {
      line = lines.next(". ");
      if (!line) return text;
      text += (text.empty() ? "" : "\n") + *line;
    }
    return text.substr(0, text.size() - kQuotes.size());
  }
  while (line && line->ends_with('\\')) {
    text += line->substr(0, line->size() - 1) + "\n";
    line = lines.next(". ");
  }
  return text + line.value_or("");
}

class Conversation {
 public:
  Conversation(const Model& model, const ChatOptions& options, bool quiet)
      : chat_(model, options), quiet_(quiet) {}

  // False when the user leaves.
  bool take(const std::string& text) {
    if (text.starts_with('/')) return command(text);
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return true;
    answer([&](const auto& show) { return chat_.say(text, show); });
    return true;
  }

 private:
  bool command(const std::string& text) {
    const size_t space = std::min(text.find(' '), text.size());
    const std::string name = text.substr(0, space);
    const std::string rest = space < text.size() ? text.substr(space + 1) : "";
    if (name == "/exit" || name == "/quit" || name == "/bye") return false;
    if (name == "/help") {
      fmt::print("{}", kHelp);
    } else if (name == "/clear") {
      chat_.clear();
    } else if (name == "/system") {
      chat_.set_system(rest);
    } else if (name == "/regenerate") {
      answer([&](const auto& show) { return chat_.regenerate(show); });
    } else {
      fmt::print("{} is no command; /help shows those there are\n", name);
    }
    std::fflush(stdout);
    return true;
  }

  // What goes wrong with one message does not end the conversation.
  template <class Ask>
  void answer(const Ask& ask) {
    try {
      const ChatAnswer answer = ask([](std::string_view text) {
        fmt::print("{}", text);
        std::fflush(stdout);
      });
      fmt::print("{}\n", answer.stop == "end" ? "" : " [" + answer.stop + "]");
      std::fflush(stdout);
      if (!quiet_) show_numbers(answer);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUsage && error.code() != ErrorCode::kInvalidFile) throw;
      fmt::print(stderr, "error: {}\n", error.what());
    }
    std::fflush(stdout);
    forget_interrupt();
  }

  static void show_numbers(const ChatAnswer& answer) {
    const auto rate = [](int64_t count, double seconds) {
      return seconds > 0 ? static_cast<double>(count) / seconds : 0.0;
    };
    fmt::print(stderr, "[prompt {} tokens, {} of them read before, {:.1f} tokens/s | ",
               answer.prompt_tokens, answer.reused_tokens,
               rate(answer.prompt_tokens - answer.reused_tokens, answer.prompt_seconds));
    if (answer.forgotten > 0) fmt::print(stderr, "{} messages forgotten | ", answer.forgotten);
    fmt::print(stderr, "answer {} tokens, {:.1f} tokens/s]\n", answer.answer_tokens,
               rate(answer.answer_tokens, answer.answer_seconds));
  }

  Chat chat_;
  bool quiet_;
};

}  // namespace

void run_chat(const Model& model, const ChatOptions& options, const std::string& first,
              bool quiet) {
  Conversation conversation(model, options, quiet);
  if (!first.empty()) conversation.take(first);
  Lines lines;
  while (const auto message = read_message(lines)) {
    if (!conversation.take(*message)) return;
  }
}

}  // namespace nibble::cli
