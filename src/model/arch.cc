#include <algorithm>
#include <string>

#include "model/archs.h"

namespace nibble {

const Arch* find_arch(std::string_view gguf_name) {
  const auto arch = std::ranges::find(kArchs, gguf_name, &Arch::name);
  return arch == kArchs.end() ? nullptr : *arch;
}

const Arch* find_arch_of_hf_class(std::string_view hf_class) {
  const auto arch = std::ranges::find_if(kArchs, [&](const Arch* candidate) {
    return std::ranges::find(candidate->hf_classes, hf_class) != candidate->hf_classes.end();
  });
  return arch == kArchs.end() ? nullptr : *arch;
}

std::string supported_archs() {
  std::string names;
  for (const Arch* arch : kArchs) names += (names.empty() ? "" : ", ") + std::string(arch->name);
  return names;
}

}  // namespace nibble
