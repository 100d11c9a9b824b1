// Memory for data that is streamed over and over: on huge pages where the system has them, which
// saves most of the address translation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nibble {

class HugePages {
 public:
  HugePages() = default;
  // `size` zeroed bytes, aligned to 2 MiB. Error: kIo when the system refuses.
  explicit HugePages(uint64_t size);
  ~HugePages();
  HugePages(HugePages&& other) noexcept;
  HugePages& operator=(HugePages&& other) noexcept;

  std::byte* data() const { return data_; }

 private:
  void* mapped_ = nullptr;
  size_t mapped_size_ = 0;
  std::byte* data_ = nullptr;
};

// Bytes that this process can still take without swapping: what the system says is available, and
// its control group's limit where there is one. 0 when the system does not say.
uint64_t available_memory();

}  // namespace nibble
