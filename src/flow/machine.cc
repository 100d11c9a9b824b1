#include "nibble/machine.h"

#include <sys/resource.h>

#include <fstream>
#include <string_view>

#include "base/threads.h"
#include "simd/isa.h"

namespace nibble {
namespace {

// What follows "NAME<spaces>:" in one of the texts of /proc; empty without such a line.
std::string field_of(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(name) || colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

}  // namespace

Machine this_machine() {
  const std::string cpu = field_of("/proc/cpuinfo", "model name");
  return {cpu.empty() ? "unknown" : cpu, std::string(isa_name(active_isa())), available_cpus()};
}

uint64_t peak_memory_bytes() {
  // What getrusage() has may be the peak of the process that started this one (exec keeps it).
  const std::string peak = field_of("/proc/self/status", "VmHWM");
  if (!peak.empty()) return std::stoull(peak) * 1024;
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

// proc(5): 5 resets the peak resident set size.
void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << 5; }

}  // namespace nibble
