// Reads the input as a calibration set, and renders its chats: what comes out is text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eval/conversations.h"
#include "nibble/error.h"
#include "text/unicode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const nibble::ChatTemplate kChat(
      "{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ m | tojson }}{% endfor %}"
      "{% if tools %}{{ tools | tojson }}{% endif %}",
      "fuzz.jinja", {});
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto& conversation : nibble::parse_conversations(text, "fuzz.jsonl")) {
      const std::string shown =
          conversation.is_chat() ? nibble::render(conversation, kChat) : conversation.text;
      if (!nibble::is_utf8(shown)) std::abort();
    }
  } catch (const nibble::Error&) {
  }
  return 0;
}
