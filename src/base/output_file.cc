#include "base/output_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/error.h"

namespace nibble {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& target) {
  const auto parent = target.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

[[noreturn]] void fail_write(const std::filesystem::path& target, int error_number) {
  const auto code =
      error_number == ENOSPC || error_number == EDQUOT ? ErrorCode::kNoSpace : ErrorCode::kIo;
  fail(code, "{}: cannot write: {}", target.string(), system_message(error_number));
}

// Creates a file beside `target` and sets its name. A killed process leaves its own behind, and in
// a container the next process often has the same pid: then further names are tried.
int open_temporary(const std::filesystem::path& target, std::filesystem::path& temporary) {
  constexpr int kMaxNames = 1000;
  const std::string stem = "." + target.filename().string() + "." + std::to_string(::getpid());
  int fd = -1;
  for (int i = 0; i < kMaxNames; ++i) {
    temporary = folder_of(target) / (stem + "-" + std::to_string(i) + ".part");
    fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) break;
  }
  return fd;
}

}  // namespace

void require_free_space(const std::filesystem::path& target, uint64_t bytes) {
  struct statvfs status {};
  const auto folder = folder_of(target);
  if (::statvfs(folder.c_str(), &status) != 0) {
    fail(ErrorCode::kIo, "{}: cannot look at its folder {}: {}", target.string(), folder.string(),
         system_message(errno));
  }
  const uint64_t room = static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  if (bytes > room) {
    fail(ErrorCode::kNoSpace,
         "{}: {} bytes are needed, but its file system has {} free; free some space or choose "
         "another place",
         target.string(), bytes, room);
  }
}

OutputFile::OutputFile(const std::filesystem::path& target, uint64_t expected_bytes)
    : target_(target) {
  std::error_code ignored;  // false then, and opening says why
  if (std::filesystem::is_directory(target, ignored)) {
    fail(ErrorCode::kIo, "{}: is a folder; name a file to write", target.string());
  }
  require_free_space(target, expected_bytes);
  fd_ = open_temporary(target, temporary_);
  if (fd_ < 0) fail_write(target, errno);
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void OutputFile::append(std::span<const std::byte> bytes) {
  write_all(position_, bytes);
  position_ += bytes.size();
}

void OutputFile::append_zeros(uint64_t count) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  while (count > 0) {
    const uint64_t step = std::min<uint64_t>(count, kZeros.size());
    append(std::span(kZeros).first(step));
    count -= step;
  }
}

void OutputFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  if (offset > position_ || bytes.size() > position_ - offset) {
    fail(ErrorCode::kUsage, "{}: {} bytes at offset {} are past the {} written", target_.string(),
         bytes.size(), offset, position_);
  }
  write_all(offset, bytes);
}

void OutputFile::write_all(uint64_t offset, std::span<const std::byte> bytes) {
  constexpr size_t kMaxStep = size_t{1} << 30;
  while (!bytes.empty()) {
    const size_t step = std::min(bytes.size(), kMaxStep);
    const ssize_t put = ::pwrite(fd_, bytes.data(), step, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_write(target_, errno);
    bytes = bytes.subspan(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
}

void OutputFile::commit() {
  if (::fsync(fd_) != 0) fail_write(target_, errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_write(target_, errno);
  committed_ = true;
  const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {  // makes the new name durable; the data already is
    ::fsync(folder);
    ::close(folder);
  }
}

}  // namespace nibble
