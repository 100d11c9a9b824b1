// "MODULES\0CONFIG": modules.json of Sentence Transformers and its pooling module's config.json.
// Whatever they say, they are refused or name a kind of pooling, in a folder below.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "flow/hf_pooling.h"
#include "nibble/error.h"

namespace {

void read_modules(std::string_view modules) {
  const auto folder = nibble::pooling_folder_of(modules, "fuzz");
  if (!folder) return;
  if (folder->is_absolute() || std::ranges::find(*folder, "..") != folder->end()) std::abort();
}

void read_config(std::string_view config) {
  using enum nibble::Pooling;
  const nibble::Pooling pooling = nibble::pooling_of_config(config, "fuzz");
  if (pooling != kMean && pooling != kCls && pooling != kLast) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), input.size());
  try {
    read_modules(input.substr(0, end));
  } catch (const nibble::Error&) {
  }
  try {
    read_config(input.substr(std::min(end + 1, input.size())));
  } catch (const nibble::Error&) {
  }
  return 0;
}
