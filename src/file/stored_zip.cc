#include "file/stored_zip.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "file/byte_reader.h"

namespace nibble {
namespace {

constexpr uint32_t kLocalMagic = 0x04034b50, kCentralMagic = 0x02014b50, kEndMagic = 0x06054b50;
constexpr uint32_t kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kLocator64Bytes = 20;
constexpr uint64_t kMaxComment = UINT16_MAX;
constexpr uint16_t kZip64Field = 1, kEncrypted = 1;

struct Directory {
  uint64_t entries, bytes, offset;
};

struct CentralEntry {
  std::string name;
  uint64_t bytes, stored, header;
};

// A cursor at `offset`, which is counted from the beginning of the file.
ByteReader reader_at(std::span<const std::byte> file, uint64_t offset, const std::string& name,
                     const char* field) {
  if (offset > file.size()) {
    fail(ErrorCode::kInvalidFile, "{}: {}: lies at {}, beyond the end of the file at {}", name,
         field, offset, file.size());
  }
  ByteReader in(file.subspan(offset), name);
  in.set_field(field);
  return in;
}

// Where the end record begins: the last one whose comment reaches the end of the file.
std::optional<uint64_t> find_end(std::span<const std::byte> file) {
  if (file.size() < kEndBytes) return std::nullopt;
  const uint64_t last = file.size() - kEndBytes;
  for (uint64_t at = last; last - at <= kMaxComment; --at) {
    uint32_t magic;
    uint16_t comment;
    std::memcpy(&magic, file.data() + at, sizeof magic);
    std::memcpy(&comment, file.data() + at + 20, sizeof comment);
    if (magic == kEndMagic && comment == last - at) return at;
    if (at == 0) break;
  }
  return std::nullopt;
}

Directory read_end64(std::span<const std::byte> file, uint64_t end, const std::string& name) {
  ByteReader locator = reader_at(file, end - kLocator64Bytes + 8, name, "ZIP64 locator");
  ByteReader in = reader_at(file, locator.read<uint64_t>(), name, "ZIP64 end record");
  if (in.read<uint32_t>() != kEnd64Magic) in.fail_here(ErrorCode::kInvalidFile, "is not there");
  in.read<uint64_t>();  // its size
  in.read<uint32_t>();  // versions
  const auto disk = in.read<uint32_t>(), first_disk = in.read<uint32_t>();
  const auto here = in.read<uint64_t>(), all = in.read<uint64_t>();
  if (disk != 0 || first_disk != 0 || here != all)
    in.fail_here(ErrorCode::kUnsupported, "is of an archive in several parts");
  const auto bytes = in.read<uint64_t>();
  return {all, bytes, in.read<uint64_t>()};
}

Directory read_end(std::span<const std::byte> file, const std::string& name) {
  const auto end = find_end(file);
  if (!end) {
    fail(ErrorCode::kInvalidFile,
         "{}: begins as a ZIP archive, but its end record is missing: it is truncated", name);
  }
  uint32_t locator = 0;
  if (*end >= kLocator64Bytes)
    std::memcpy(&locator, file.data() + *end - kLocator64Bytes, sizeof locator);
  if (locator == kLocator64Magic) return read_end64(file, *end, name);
  ByteReader in = reader_at(file, *end + 4, name, "ZIP end record");
  const auto disk = in.read<uint16_t>(), first_disk = in.read<uint16_t>();
  const auto here = in.read<uint16_t>(), all = in.read<uint16_t>();
  if (disk != 0 || first_disk != 0 || here != all)
    in.fail_here(ErrorCode::kUnsupported, "is of an archive in several parts");
  const auto bytes = in.read<uint32_t>();
  return {all, bytes, in.read<uint32_t>()};
}

// Sizes of 4 GiB and more stand in an extra field, those only that do not fit above.
void read_zip64(ByteReader& in, uint64_t extra_bytes, CentralEntry& entry) {
  while (extra_bytes >= 4) {
    const auto id = in.read<uint16_t>(), size = in.read<uint16_t>();
    extra_bytes -= 4;
    if (size > extra_bytes) break;
    extra_bytes -= size;
    uint64_t left = size;
    for (uint64_t* value : {&entry.bytes, &entry.stored, &entry.header}) {
      if (id != kZip64Field || *value != UINT32_MAX || left < sizeof *value) continue;
      *value = in.read<uint64_t>();
      left -= sizeof *value;
    }
    in.skip(left);
  }
  in.skip(extra_bytes);
}

std::string read_name(ByteReader& in, uint64_t length) {
  std::string name(length, '\0');
  in.read_into(std::span(name));
  return name;
}

CentralEntry read_central(ByteReader& in) {
  if (in.read<uint32_t>() != kCentralMagic)
    in.fail_here(ErrorCode::kInvalidFile, "an entry does not begin as one");
  in.read<uint32_t>();  // versions
  const auto flags = in.read<uint16_t>(), method = in.read<uint16_t>();
  in.read<uint64_t>();  // time, date, checksum
  CentralEntry entry{};
  entry.stored = in.read<uint32_t>();
  entry.bytes = in.read<uint32_t>();
  const auto name = in.read<uint16_t>(), extra = in.read<uint16_t>(), comment = in.read<uint16_t>();
  in.read<uint64_t>();  // disk, attributes
  entry.header = in.read<uint32_t>();
  entry.name = read_name(in, name);
  read_zip64(in, extra, entry);
  in.skip(comment);
  if ((flags & kEncrypted) != 0 || method != 0 || entry.stored != entry.bytes) {
    in.fail_here(ErrorCode::kUnsupported,
                 "entry {} is {}; torch.save stores entries as they are, so this is no file of it",
                 printable(entry.name), (flags & kEncrypted) != 0 ? "encrypted" : "compressed");
  }
  return entry;
}

// What stands before the bytes of an entry repeats its name.
ZipEntry locate(std::span<const std::byte> file, const CentralEntry& entry, uint64_t end,
                const std::string& file_name) {
  ByteReader in = reader_at(file.first(end), entry.header, file_name, "ZIP entry");
  if (in.read<uint32_t>() != kLocalMagic)
    in.fail_here(ErrorCode::kInvalidFile, "{} is not there", printable(entry.name));
  in.read<uint32_t>();  // version, flags
  const auto method = in.read<uint16_t>();
  in.read<uint64_t>();  // time, date, checksum
  in.read<uint64_t>();  // sizes
  const auto name = in.read<uint16_t>(), extra = in.read<uint16_t>();
  if (method != 0 || read_name(in, name) != entry.name) {
    in.fail_here(ErrorCode::kInvalidFile, "{} differs between the directory and its place",
                 printable(entry.name));
  }
  const uint64_t offset = entry.header + kLocalBytes + name + extra;
  if (offset > end || entry.bytes > end - offset) {
    in.fail_here(ErrorCode::kInvalidFile, "{}: its {} bytes from {} do not end before byte {}",
                 printable(entry.name), entry.bytes, offset, end);
  }
  return {entry.name, offset, entry.bytes};
}

// Every byte belongs to one entry at most.
void check_overlap(std::vector<ZipEntry>& entries, const std::string& file_name) {
  std::ranges::sort(entries, {}, &ZipEntry::offset);
  uint64_t end = 0;
  for (const ZipEntry& entry : entries) {
    if (entry.offset < end + kLocalBytes) {
      fail(ErrorCode::kInvalidFile, "{}: ZIP entry {} overlaps the one before", file_name,
           printable(entry.name));
    }
    end = entry.offset + entry.bytes;
  }
}

}  // namespace

bool starts_with_zip_magic(std::span<const std::byte> file) {
  uint32_t magic = 0;
  if (file.size() >= sizeof magic) std::memcpy(&magic, file.data(), sizeof magic);
  return magic == kLocalMagic;
}

std::vector<ZipEntry> read_stored_zip(std::span<const std::byte> file,
                                      const std::string& file_name) {
  const Directory directory = read_end(file, file_name);
  ByteReader in = reader_at(file, directory.offset, file_name, "ZIP directory");
  in.require_items(directory.entries, kCentralBytes);
  std::vector<ZipEntry> entries;
  entries.reserve(directory.entries);
  for (uint64_t i = 0; i < directory.entries; ++i)
    entries.push_back(locate(file, read_central(in), directory.offset, file_name));
  check_overlap(entries, file_name);
  std::ranges::sort(entries, {}, &ZipEntry::name);
  const auto twice = std::ranges::adjacent_find(entries, {}, &ZipEntry::name);
  if (twice != entries.end()) {
    fail(ErrorCode::kInvalidFile, "{}: ZIP entry {} stands twice", file_name,
         printable(twice->name));
  }
  return entries;
}

}  // namespace nibble
