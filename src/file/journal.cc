#include "file/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "base/input_file.h"
#include "base/output_file.h"
#include "base/xxh64.h"

namespace nibble {
namespace {

constexpr std::string_view kMagic = "NIBJRNL1";
constexpr uint64_t kMaxWorkBytes = 1 << 20;
constexpr uint64_t kMaxJournalBytes = uint64_t{1} << 30;
constexpr size_t kRecordBytes = 8 + 8 + 32 + 8;

void put(std::string& out, uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

uint64_t get(std::span<const std::byte> bytes) {
  uint64_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::string with_checksum(std::string bytes) {
  put(bytes, xxh64(bytes_of(bytes)));
  return bytes;
}

// Whether the last eight bytes are the checksum of those before.
bool is_whole(std::span<const std::byte> bytes) {
  return get(bytes.last(8)) == xxh64(bytes.first(bytes.size() - 8));
}

std::string encode_header(const std::string& work) {
  std::string out(kMagic);
  put(out, work.size());
  return with_checksum(out + work);
}

std::string encode_record(const JournalRecord& record) {
  std::string out;
  put(out, record.piece);
  put(out, record.checksum);
  out.append(reinterpret_cast<const char*>(record.source.data()), record.source.size());
  return with_checksum(std::move(out));
}

JournalRecord decode_record(std::span<const std::byte> bytes) {
  JournalRecord record{get(bytes), get(bytes.subspan(8)), {}};
  std::memcpy(record.source.data(), bytes.data() + 16, record.source.size());
  return record;
}

}  // namespace

std::optional<JournalContents> parse_journal(std::span<const std::byte> file) {
  constexpr size_t kBeforeWork = kMagic.size() + 8;
  if (file.size() < kBeforeWork + 8) return std::nullopt;
  if (std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0) return std::nullopt;
  const uint64_t length = get(file.subspan(kMagic.size()));
  if (length > kMaxWorkBytes || length > file.size() - kBeforeWork - 8) return std::nullopt;
  const size_t header = kBeforeWork + length + 8;
  if (!is_whole(file.first(header))) return std::nullopt;
  JournalContents contents;
  contents.work.assign(reinterpret_cast<const char*>(file.data()) + kBeforeWork, length);
  contents.bytes = header;
  while (file.size() - contents.bytes >= kRecordBytes) {
    const auto record = file.subspan(contents.bytes, kRecordBytes);
    if (!is_whole(record)) break;
    contents.records.push_back(decode_record(record));
    contents.bytes += kRecordBytes;
  }
  return contents;
}

std::filesystem::path journal_path(const std::filesystem::path& target) {
  return target.string() + ".journal";
}

std::optional<JournalContents> read_journal(const std::filesystem::path& target) {
  const auto path = journal_path(target);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  return parse_journal(bytes_of(read_text_file(path, kMaxJournalBytes)));
}

Journal::Journal(const std::filesystem::path& target, int open_flags)
    : path_(journal_path(target)),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | open_flags, 0666)) {
  if (fd_ < 0) fail_write(path_, errno);
}

Journal::Journal(const std::filesystem::path& target, const std::string& work)
    : Journal(target, O_TRUNC) {
  try {
    write(encode_header(work));
  } catch (const Error&) {
    remove();
    throw;
  }
}

Journal::Journal(const std::filesystem::path& target, const JournalContents& contents)
    : Journal(target, 0) {
  if (::ftruncate(fd_, static_cast<off_t>(contents.bytes)) != 0) fail_write(path_, errno);
}

Journal::~Journal() { ::close(fd_); }

void Journal::append(const JournalRecord& record) {
  const std::string bytes = encode_record(record);
  const std::lock_guard lock(mutex_);
  write(bytes);
}

void Journal::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_write(path_, errno);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
}

void Journal::remove() { ::unlink(path_.c_str()); }

}  // namespace nibble
