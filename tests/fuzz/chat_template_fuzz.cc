// Renders the input as a chat template for two conversations: whatever it says, it ends within its
// limits, and what it prints is text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "nibble/error.h"
#include "text/chat_template.h"
#include "text/unicode.h"

namespace {

using nibble::ChatTemplate;

ChatTemplate::Input conversation(bool with_tools) {
  ChatTemplate::Input input;
  input.messages = ChatTemplate::Json::parse(R"([
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "  What is 2 < 3? \u00c4\u4f60\ud83d\ude42\n"},
    {"role": "assistant", "content": null, "tool_calls":
      [{"type": "function", "function": {"name": "f", "arguments": {"x": 1.5, "y": [true, null]}}}]},
    {"role": "user", "content": [{"type": "text", "text": "Bye"}]}])");
  if (with_tools) input.tools = input.messages[2]["tool_calls"];
  input.add_generation_prompt = !with_tools;
  input.now = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  return input;
}

nibble::jinja::Limits limits() {
  nibble::jinja::Limits limits;
  limits.steps = 200'000;
  limits.memory_bytes = size_t{32} << 20;
  limits.output_bytes = size_t{8} << 20;
  return limits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ChatTemplate::Input kInputs[] = {conversation(false), conversation(true)};
  try {
    const ChatTemplate chat({reinterpret_cast<const char*>(data), size}, "fuzz.jinja",
                            {"<s>", "</s>"}, limits());
    for (const auto& input : kInputs) {
      if (!nibble::is_utf8(chat.render(input))) std::abort();
    }
  } catch (const nibble::Error&) {
  }
  return 0;
}
