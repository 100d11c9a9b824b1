#include "base/input_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace nibble {

InputFile::InputFile(const std::filesystem::path& path) : path_(path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer; regular files do not know it.
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) {
    const auto code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
    fail(code, "{}: cannot open for reading: {}", path.string(), system_message(errno));
  }
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd_);
    fail(ErrorCode::kNotFound, "{}: not a regular file", path.string());
  }
  size_ = static_cast<uint64_t>(status.st_size);
  modified_ns_ = int64_t{status.st_mtim.tv_sec} * 1000000000 + status.st_mtim.tv_nsec;
}

InputFile::~InputFile() {
  if (mapped_ != nullptr) ::munmap(mapped_, size_);
  ::close(fd_);
}

void InputFile::read(uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    fail(ErrorCode::kInvalidFile,
         "{}: {} bytes wanted at offset {}, but the file has {} bytes: it is truncated", name(),
         out.size(), offset, size_);
  }
  constexpr size_t kMaxStep = size_t{1} << 30;
  while (!out.empty()) {
    const size_t step = std::min(out.size(), kMaxStep);
    const ssize_t got = ::pread(fd_, out.data(), step, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      fail(ErrorCode::kIo, "{}: read at offset {}: {}", name(), offset, system_message(errno));
    if (got == 0)
      fail(ErrorCode::kIo, "{}: the file became shorter while it was read (offset {})", name(),
           offset);
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
}

std::span<const std::byte> InputFile::map() const {
  std::call_once(map_once_, [this] {
    if (size_ == 0) return;
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd_, 0);
    if (address == MAP_FAILED)
      fail(ErrorCode::kIo, "{}: cannot map: {}", name(), system_message(errno));
    mapped_ = address;
  });
  return {static_cast<const std::byte*>(mapped_),
          mapped_ == nullptr ? 0 : static_cast<size_t>(size_)};
}

bool is_missing(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::status(path, ignored).type() == std::filesystem::file_type::not_found;
}

void InputFile::forget(uint64_t offset, uint64_t size) const {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t begin = (offset + page - 1) / page * page;  // whole pages: others use the rest
  const uint64_t end = (offset + size) / page * page;
  if (mapped_ == nullptr || begin >= end) return;
  ::madvise(static_cast<std::byte*>(mapped_) + begin, end - begin, MADV_DONTNEED);
}

std::string read_text_file(const std::filesystem::path& path, uint64_t limit) {
  const InputFile file(path);
  if (file.size() > limit) {
    fail(ErrorCode::kUnsupported, "{}: {} bytes, more than the {} that such a file may have",
         file.name(), file.size(), limit);
  }
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace nibble
