#include "base/huge_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

#include "base/error.h"

namespace nibble {
namespace {

constexpr uint64_t kPage = uint64_t{2} << 20;

// The number in a file of one; `otherwise` when there is none ("max").
uint64_t number_in(const char* path, uint64_t otherwise) {
  uint64_t number = 0;
  return std::ifstream(path) >> number ? number : otherwise;
}

}  // namespace

HugePages::HugePages(uint64_t size) : mapped_size_(static_cast<size_t>(size + kPage)) {
  mapped_ =
      ::mmap(nullptr, mapped_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped_ == MAP_FAILED) {
    mapped_ = nullptr;
    fail(ErrorCode::kIo, "no memory for {} bytes: {}", size, system_message(errno));
  }
  const uint64_t begin = reinterpret_cast<uint64_t>(mapped_);
  data_ = static_cast<std::byte*>(mapped_) + (kPage - begin % kPage) % kPage;
#ifdef MADV_HUGEPAGE
  ::madvise(data_, static_cast<size_t>(size), MADV_HUGEPAGE);  // refused: small pages serve
#endif
}

HugePages::~HugePages() {
  if (mapped_ != nullptr) ::munmap(mapped_, mapped_size_);
}

HugePages::HugePages(HugePages&& other) noexcept { *this = std::move(other); }

HugePages& HugePages::operator=(HugePages&& other) noexcept {
  std::swap(mapped_, other.mapped_);
  std::swap(mapped_size_, other.mapped_size_);
  std::swap(data_, other.data_);
  return *this;
}

uint64_t available_memory() {
  constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
  std::ifstream file("/proc/meminfo");
  std::string name, rest;
  uint64_t kib = 0;
  while (file >> name >> kib && name != "MemAvailable:") std::getline(file, rest);
  if (name != "MemAvailable:") return 0;
  const uint64_t limit = number_in("/sys/fs/cgroup/memory.max", kNoLimit);  // version 2
  const uint64_t used = number_in("/sys/fs/cgroup/memory.current", 0);
  return std::min(1024 * kib, limit == kNoLimit ? kNoLimit : limit - std::min(limit, used));
}

}  // namespace nibble
