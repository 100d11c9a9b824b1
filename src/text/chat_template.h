// Chat templates: the Jinja text that a model comes with and that makes a prompt of messages.
// Semantics: jinja2 as transformers sets it up (docs/guides/chat-templates.md).
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "text/jinja/limits.h"

namespace nibble {

class ChatTemplate {
 public:
  using Json = nlohmann::ordered_json;  // templates show keys in the order in which they came

  // What {{ bos_token }}, {{ eos_token }} and so on print; empty: the name is undefined.
  struct Tokens {
    std::string bos = {}, eos = {}, unk = {}, pad = {};
  };

  // `origin`: where the text came from; errors begin with it. Error kInvalidFile: "ORIGIN: line
  // N: ..." for text that is no template, with Jinja's message.
  ChatTemplate(std::string_view source, std::string_view origin, Tokens tokens,
               const jinja::Limits& limits = {});
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  struct Input {
    Json messages = Json::array();  // [{"role": "user", "content": "..."}, ...]
    // JSON schemas of functions; null (none to the template) is what transformers gives when there
    // are no tools, nothing leaves the name undefined.
    std::optional<Json> tools = Json(nullptr);
    bool add_generation_prompt = true;  // ends with what an answer begins with
    Json variables = Json::object();    // further names, such as enable_thinking
    std::optional<std::chrono::system_clock::time_point> now;  // for strftime_now; default: now
  };

  // The prompt. Errors: kUsage with the template's message where it refuses the messages
  // (raise_exception); kInvalidFile for what fails in it, and for what exceeds the limits.
  // Thread-safe.
  std::string render(const Input& input) const;

 private:
  struct Program;
  std::unique_ptr<const Program> program_;
};

}  // namespace nibble
