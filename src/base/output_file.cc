#include "base/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>

#include "base/bytes.h"
#include "base/error.h"
#include "nibble/text_file.h"

namespace nibble {
namespace {

constexpr size_t kMaxStep = size_t{1} << 30;  // of one system call

std::filesystem::path folder_of(const std::filesystem::path& target) {
  const auto parent = target.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
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

// Whether `path` is still the name of the open file: it may have been renamed meanwhile.
bool has_name(int fd, const std::filesystem::path& path) {
  struct stat open_file {};
  struct stat named {};
  return ::fstat(fd, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

// Opens or creates what is kept between processes. The lock goes with the process, however it ends.
int open_part(const std::filesystem::path& target) {
  const auto path = part_path(target);
  for (;;) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return fd;
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      ::close(fd);
      fail(ErrorCode::kUsage, "{}: another process is writing it; wait for that one or end it",
           target.string());
    }
    if (has_name(fd, path)) return fd;
    ::close(fd);
  }
}

}  // namespace

void fail_write(const std::filesystem::path& path, int error_number) {
  const auto code =
      error_number == ENOSPC || error_number == EDQUOT ? ErrorCode::kNoSpace : ErrorCode::kIo;
  fail(code, "{}: cannot write: {}", path.string(), system_message(error_number));
}

std::filesystem::path part_path(const std::filesystem::path& target) {
  return target.string() + ".part";
}

void sync_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int error_number = fd < 0 || ::fsync(fd) != 0 ? errno : 0;
  if (fd >= 0) ::close(fd);
  if (error_number != 0) fail_write(path, error_number);
}

uint64_t allocated_bytes(const std::filesystem::path& path) {
  struct stat status {};
  constexpr uint64_t kBlock = 512;  // of st_blocks, whatever the file system has
  return ::stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_blocks) * kBlock : 0;
}

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

void require_free_space(const std::vector<SpaceNeed>& needs) {
  std::map<dev_t, uint64_t> of_device;
  for (const auto& [target, bytes] : needs) {
    struct stat status {};
    if (::stat(folder_of(target).c_str(), &status) != 0) {
      fail(ErrorCode::kIo, "{}: its folder does not exist", target.string());
    }
    require_free_space(target, of_device[status.st_dev] += bytes);
  }
}

OutputFile::OutputFile(const std::filesystem::path& target, uint64_t bytes, Unfinished unfinished)
    : target_(target), bytes_(bytes), keeps_(unfinished == Unfinished::kResume) {
  std::error_code ignored;  // false then, and opening says why
  if (std::filesystem::is_directory(target, ignored)) {
    fail(ErrorCode::kIo, "{}: is a folder; name a file to write", target.string());
  }
  using std::filesystem::perms;
  const auto there_already = std::filesystem::status(target, ignored);
  if (std::filesystem::exists(there_already) &&
      (there_already.permissions() & perms::owner_write) == perms::none) {
    fail(ErrorCode::kIo, "{}: exists and is write-protected; choose another name, or remove it",
         target.string());
  }
  const bool is_part = unfinished != Unfinished::kRemove;
  const uint64_t there = is_part ? allocated_bytes(part_path(target)) : 0;
  require_free_space(target, bytes - std::min(bytes, there));
  if (is_part) temporary_ = part_path(target);
  fd_ = is_part ? open_part(target) : open_temporary(target, temporary_);
  if (fd_ < 0) fail_write(target, errno);
  const bool begins_anew = unfinished == Unfinished::kKeep;
  if ((begins_anew && ::ftruncate(fd_, 0) != 0) ||
      ::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) {
    const int error_number = errno;
    close();
    fail_write(target, error_number);
  }
}

OutputFile::~OutputFile() { close(); }

void OutputFile::close() {
  if (!committed_ && !keeps_) ::unlink(temporary_.c_str());
  ::close(fd_);  // after the name is gone: the lock must not be free while it stands
}

void OutputFile::check_range(uint64_t offset, uint64_t bytes) const {
  if (offset > bytes_ || bytes > bytes_ - offset) {
    fail(ErrorCode::kUsage, "{}: {} bytes at offset {} are past its end at {}", target_.string(),
         bytes, offset, bytes_);
  }
}

void OutputFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  check_range(offset, bytes.size());
  const uint64_t count = bytes.size();
  while (!bytes.empty()) {
    const size_t step = std::min(bytes.size(), kMaxStep);
    const ssize_t put = ::pwrite(fd_, bytes.data(), step, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_write(target_, errno);
    bytes = bytes.subspan(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  start_writeback(count);
}

// Lets the disk work from the beginning; otherwise the sync at the end waits for everything.
void OutputFile::start_writeback(uint64_t bytes) {
  constexpr uint64_t kInterval = 32 << 20;
  const uint64_t before = written_.fetch_add(bytes);
  if (before / kInterval == (before + bytes) / kInterval) return;
  ::sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE);  // only a hint: errors show at the sync
}

void OutputFile::read_at(uint64_t offset, std::span<std::byte> out) const {
  check_range(offset, out.size());
  while (!out.empty()) {
    const size_t step = std::min(out.size(), kMaxStep);
    const ssize_t got = ::pread(fd_, out.data(), step, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fail(ErrorCode::kIo, "{}: cannot read what was written at offset {}: {}", temporary_.string(),
           offset, got == 0 ? "the file became shorter" : system_message(errno));
    }
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
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

void write_text_file(const std::filesystem::path& path, std::string_view text) {
  OutputFile file(path, text.size());
  file.write_at(0, bytes_of(text));
  file.commit();
}

}  // namespace nibble
