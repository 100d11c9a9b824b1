#include <algorithm>
#include <string>

#include "model/archs.h"

namespace nibble {
namespace {

const Arch* find_arch_that_lists(std::string_view name,
                                 std::span<const std::string_view> Arch::*list) {
  const auto arch = std::ranges::find_if(kArchs, [&](const Arch* candidate) {
    return std::ranges::find(candidate->*list, name) != (candidate->*list).end();
  });
  return arch == kArchs.end() ? nullptr : *arch;
}

}  // namespace

const Arch* find_arch(std::string_view gguf_name) {
  const auto arch = std::ranges::find(kArchs, gguf_name, &Arch::name);
  return arch == kArchs.end() ? nullptr : *arch;
}

const Arch* find_arch_of_hf_class(std::string_view hf_class) {
  return find_arch_that_lists(hf_class, &Arch::hf_classes);
}

const Arch* find_arch_of_hf_model_type(std::string_view model_type) {
  return find_arch_that_lists(model_type, &Arch::hf_model_types);
}

std::string supported_archs() {
  std::string names;
  for (const Arch* arch : kArchs) names += (names.empty() ? "" : ", ") + std::string(arch->name);
  return names;
}

}  // namespace nibble
