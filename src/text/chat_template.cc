#include "text/chat_template.h"

#include <time.h>

#include <ctime>
#include <utility>

#include "text/jinja/interpreter.h"
#include "text/jinja/json.h"
#include "text/jinja/parser.h"

namespace nibble {
namespace {

std::tm local_time(const ChatTemplate::Input& input) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(input.now.value_or(std::chrono::system_clock::now()));
  std::tm result{};
  localtime_r(&seconds, &result);
  return result;
}

}  // namespace

struct ChatTemplate::Program {
  std::string origin;
  Tokens tokens;
  jinja::Limits limits;
  jinja::Block block;
};

ChatTemplate::ChatTemplate(std::string_view source, std::string_view origin, Tokens tokens,
                           const jinja::Limits& limits)
    : program_(new Program{std::string(origin), std::move(tokens), limits,
                           jinja::parse(source, origin, limits)}) {}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(const Input& input) const {
  jinja::Runtime runtime(program_->origin, program_->limits);
  jinja::Interpreter interpreter(runtime, local_time(input));
  const Tokens& tokens = program_->tokens;
  const auto set_token = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) interpreter.set(name, runtime.text(text));
  };
  set_token("bos_token", tokens.bos);
  set_token("eos_token", tokens.eos);
  set_token("unk_token", tokens.unk);
  set_token("pad_token", tokens.pad);
  interpreter.set("messages", jinja::from_json(runtime, input.messages));
  if (input.tools) interpreter.set("tools", jinja::from_json(runtime, *input.tools));
  interpreter.set("documents", jinja::None{});
  interpreter.set("add_generation_prompt", input.add_generation_prompt);
  for (const auto& [name, value] : input.variables.items()) {
    interpreter.set(runtime.text(name)->text, jinja::from_json(runtime, value));
  }
  return interpreter.run(program_->block);
}

}  // namespace nibble
