#include "file/compact_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/xxh64.h"
#include "file/logits_file.h"
#include "file/reference_header.h"

namespace nibble {
namespace {

constexpr uint64_t kFixedBytes = kCompactMagic.size() + 6 * sizeof(uint32_t) + sizeof(uint64_t);
constexpr uint64_t kRowStart = 2 * sizeof(float);  // of the ids
constexpr float kCodesPerNat = 2048.0f;
constexpr float kLargestCode = 65535.0f;

// Consecutive values of a row.
class RowReader {
 public:
  explicit RowReader(const std::byte* at) : at_(at) {}

  template <class T>
  T next() {
    T value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

 private:
  const std::byte* at_;
};

class RowWriter {
 public:
  explicit RowWriter(std::byte* at) : at_(at) {}

  template <class T>
  void put(T value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }

 private:
  std::byte* at_;
};

void put_entries(RowWriter& out, std::span<const CompactEntry> entries, bool is_wide) {
  for (const CompactEntry& entry : entries) {
    if (is_wide) {
      out.put(entry.id);
    } else {
      out.put(static_cast<uint16_t>(entry.id));
    }
  }
  for (const CompactEntry& entry : entries) {
    const float code = std::clamp(-entry.log_p * kCodesPerNat, 0.0f, kLargestCode);
    out.put(static_cast<uint16_t>(std::nearbyint(code)));
  }
}

void read_entries(RowReader& in, int64_t count, bool is_wide, std::vector<CompactEntry>& entries) {
  entries.resize(static_cast<size_t>(count));
  for (CompactEntry& entry : entries)
    entry.id = is_wide ? in.next<uint32_t>() : in.next<uint16_t>();
  for (CompactEntry& entry : entries)
    entry.log_p = -static_cast<float>(in.next<uint16_t>()) / kCodesPerNat;
}

bool has_ids_below(std::span<const CompactEntry> entries, int64_t vocab_size) {
  return std::ranges::all_of(entries, [=](const CompactEntry& e) { return e.id < vocab_size; });
}

// Codes are off by half a step: far less than what is allowed here.
bool is_a_distribution(const CompactRow& row) {
  constexpr double kAllowed = 0.01;
  double sum = row.tail_mass;
  for (const CompactEntry& entry : row.top) sum += std::exp(static_cast<double>(entry.log_p));
  return row.tail_mass >= 0 && std::fabs(sum - 1) <= kAllowed && row.next_log_p <= kAllowed &&
         std::isfinite(row.next_log_p);
}

}  // namespace

uint64_t CompactLayout::row_bytes() const {
  return kRowStart + static_cast<uint64_t>(top + samples) * (id_bytes() + sizeof(uint16_t));
}

uint64_t CompactLayout::header_bytes() const {
  return kFixedBytes + static_cast<uint64_t>(windows) * static_cast<uint64_t>(context) * 4;
}

uint64_t CompactLayout::offset(int64_t window, int64_t row) const {
  return header_bytes() + static_cast<uint64_t>(window * scored() + row) * row_bytes();
}

void choose_sizes(CompactLayout& layout) {
  constexpr int64_t kShare = 50, kMostTop = 256, kMostSamples = 64;
  const LogitsLayout logits = {layout.context, layout.vocab_size, layout.windows};
  const auto row_bytes = (static_cast<int64_t>(logits.file_bytes()) / kShare -
                          static_cast<int64_t>(layout.header_bytes())) /
                         (layout.windows * layout.scored());
  const auto entry_bytes = static_cast<int64_t>(layout.id_bytes() + sizeof(uint16_t));
  const int64_t entries = (row_bytes - static_cast<int64_t>(kRowStart)) / entry_bytes;
  layout.samples = std::clamp<int64_t>(entries / 5, 2, kMostSamples);
  layout.top = std::clamp<int64_t>(entries - layout.samples, 1, kMostTop);
  layout.top = std::min(layout.top, layout.vocab_size);
}

CompactFile::CompactFile(std::span<const std::byte> file, std::string name)
    : file_(file), name_(std::move(name)) {
  ByteReader in(file, name_);
  in.set_field("signature");
  std::string magic(kCompactMagic.size(), '\0');
  in.read_into(std::span(magic));
  if (magic != kCompactMagic) {
    in.fail_here(ErrorCode::kInvalidFile, "found \"{}\", expected \"{}\"", printable(magic),
                 kCompactMagic);
  }
  layout_.context = read_number(in, "context", kLeastReferenceContext);
  layout_.vocab_size = read_number(in, "vocabulary size", 1);
  layout_.windows = read_number(in, "windows", 1);
  layout_.top = read_number(in, "top", 1);
  layout_.samples = read_number(in, "samples", 0);
  if (layout_.top > layout_.vocab_size || layout_.samples == 1) {
    in.fail_here(ErrorCode::kInvalidFile,
                 "found a top of {} and {} samples for a vocabulary of {}, expected a top in it, "
                 "and no or at least 2 samples",
                 layout_.top, layout_.samples, layout_.vocab_size);
  }
  in.set_field("reserved");
  if (const auto zero = in.read<uint32_t>(); zero != 0)
    in.fail_here(ErrorCode::kUnsupported, "found {}, expected 0; a later version made it", zero);
  in.set_field("vocabulary hash");
  layout_.vocabulary_hash = in.read<uint64_t>();
  if (!has_windows(file.size(), kFixedBytes, layout_.windows, layout_.context, layout_.scored(),
                   layout_.row_bytes())) {
    fail(ErrorCode::kInvalidFile,
         "{}: {} bytes are not what {} windows of {} tokens with a top of {} and {} samples take: "
         "it is cut off or damaged; make it again",
         name_, file.size(), layout_.windows, layout_.context, layout_.top, layout_.samples);
  }
  check_tokens(in, layout_.windows * layout_.context, layout_.vocab_size);
}

std::vector<uint32_t> CompactFile::tokens() const {
  std::vector<uint32_t> tokens(static_cast<size_t>(layout_.windows * layout_.context));
  std::memcpy(tokens.data(), file_.data() + kFixedBytes, tokens.size() * sizeof(uint32_t));
  return tokens;
}

void CompactFile::read(int64_t window, int64_t row, CompactRow& result) const {
  const uint64_t offset = layout_.offset(window, row);
  const bool is_wide = layout_.id_bytes() == sizeof(uint32_t);
  RowReader in(file_.data() + offset);
  result.tail_mass = in.next<float>();
  result.next_log_p = in.next<float>();
  read_entries(in, layout_.top, is_wide, result.top);
  read_entries(in, layout_.samples, is_wide, result.samples);
  if (!has_ids_below(result.top, layout_.vocab_size) ||
      !has_ids_below(result.samples, layout_.vocab_size)) {
    fail(ErrorCode::kInvalidFile,
         "{}: offset {}: found a token that is not in the vocabulary of {}: the file is damaged",
         name_, offset, layout_.vocab_size);
  }
  if (!is_a_distribution(result)) {
    fail(ErrorCode::kInvalidFile,
         "{}: offset {}: found probabilities that do not add up to 1: the file is damaged", name_,
         offset);
  }
}

CompactFileWriter::CompactFileWriter(const std::filesystem::path& path, const CompactLayout& layout,
                                     std::span<const uint32_t> tokens)
    : layout_(layout), file_(path, layout.file_bytes()) {
  std::vector<std::byte> header(kFixedBytes);
  std::memcpy(header.data(), kCompactMagic.data(), kCompactMagic.size());
  RowWriter out(header.data() + kCompactMagic.size());
  for (const int64_t number :
       {layout.context, layout.vocab_size, layout.windows, layout.top, layout.samples, int64_t{0}})
    out.put(static_cast<uint32_t>(number));
  out.put(layout.vocabulary_hash);
  file_.write_at(0, header);
  file_.write_at(kFixedBytes, std::as_bytes(tokens));
}

void CompactFileWriter::write(int64_t window, int64_t row, const CompactRow& content) {
  const bool is_wide = layout_.id_bytes() == sizeof(uint32_t);
  std::vector<std::byte> bytes(layout_.row_bytes());
  RowWriter out(bytes.data());
  out.put(content.tail_mass);
  out.put(content.next_log_p);
  put_entries(out, content.top, is_wide);
  put_entries(out, content.samples, is_wide);
  file_.write_at(layout_.offset(window, row), bytes);
}

uint64_t vocabulary_hash(std::span<const std::string> tokens) {
  Xxh64 hash;
  for (const std::string& token : tokens) {
    const uint64_t size = token.size();
    hash.update(std::as_bytes(std::span(&size, 1)));
    hash.update(bytes_of(token));
  }
  return hash.finish();
}

}  // namespace nibble
