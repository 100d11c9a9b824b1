// Parses a file of tasks as the kind that its first byte names, and checks what items promise.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eval/task_kinds.h"
#include "nibble/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto kinds = nibble::task_kinds();
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const auto items = kinds[data[0] % kinds.size()].read(text, "fuzz.tasks");
    if (items.size() == 0) std::abort();
    for (const auto& item : items.choices) {
      if (item.right.empty() || item.choices.size() < 2) std::abort();
      for (const size_t right : item.right) {
        if (right >= item.choices.size()) std::abort();
      }
    }
    for (const auto& item : items.prompts) {
      if (item.max_tokens <= 0) std::abort();
    }
  } catch (const nibble::Error&) {
  }
  return 0;
}
