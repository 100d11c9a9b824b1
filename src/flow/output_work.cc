#include "flow/output_work.h"

#include <algorithm>

#include "base/error.h"
#include "base/xxh64.h"
#include "flow/run_support.h"
#include "flow/work_description.h"

namespace nibble {
namespace {

std::vector<TensorInfo> all_tensors(const std::vector<GgufPart>& parts) {
  std::vector<TensorInfo> tensors;
  for (const GgufPart& part : parts) {
    tensors.insert(tensors.end(), part.tensors.begin(), part.tensors.end());
  }
  return tensors;
}

// What there is to go on with.
std::optional<JournalContents> find_left(const std::filesystem::path& target,
                                         const std::string& work) {
  std::error_code ignored;  // false then, and opening says why
  if (!std::filesystem::exists(part_path(target), ignored)) return std::nullopt;
  auto left = read_journal(target);
  if (left) check_same_work(target, left->work, work);
  return left;
}

}  // namespace

OutputWork::OutputWork(std::vector<GgufPart> parts, const std::string& work,
                       const std::vector<Piece>& pieces, bool resume)
    : pieces_(pieces),
      tensors_(all_tensors(parts)),
      left_(resume ? find_left(parts.front().path, work) : std::nullopt),
      sink_(parts, left_ ? Unfinished::kResume : Unfinished::kKeep),
      done_(pieces.size()),
      sources_(pieces.size()) {
  const auto& target = parts.front().path;
  journal_ =
      left_ ? std::make_unique<Journal>(target, *left_) : std::make_unique<Journal>(target, work);
  sink_.keep();  // from now on there is something to go on with
}

void OutputWork::check_left(ThreadPool& pool, const RunOptions& run) {
  if (!left_) return;
  const auto& records = left_->records;
  uint64_t total = 0;
  for (const JournalRecord& record : records) total += bytes(record);
  Phase phase(run, "checking", "bytes", total);
  std::vector<uint8_t> whole(records.size());
  pool.run(static_cast<int64_t>(records.size()), 1, [&](int64_t i, int64_t, int) {
    const JournalRecord& record = records[static_cast<size_t>(i)];
    whole[static_cast<size_t>(i)] = is_whole(record) ? 1 : 0;
    phase.advance(bytes(record));
  });
  for (size_t i = 0; i < records.size(); ++i) {
    if (whole[i] == 0 || has(records[i].piece)) continue;
    const Piece& piece = pieces_[records[i].piece];
    sink_.accept(piece.tensor, piece.first_row * row_bytes(piece), bytes(records[i]));
    done_[records[i].piece] = 1;
    sources_[records[i].piece] = records[i].source;
    bytes_left_ += bytes(records[i]);
  }
}

uint64_t OutputWork::bytes(const JournalRecord& record) const {
  if (record.piece >= pieces_.size()) return 0;
  const Piece& piece = pieces_[record.piece];
  return piece.rows * row_bytes(piece);
}

bool OutputWork::is_whole(const JournalRecord& record) const {
  if (record.piece >= pieces_.size()) return false;
  const Piece& piece = pieces_[record.piece];
  const uint64_t begin = piece.first_row * row_bytes(piece);
  const uint64_t end = begin + bytes(record);
  std::vector<std::byte> buffer;
  Xxh64 checksum;
  for (uint64_t at = begin; at < end; at += buffer.size()) {
    buffer.resize(std::min(kPieceBytes, end - at));
    sink_.read(piece.tensor, at, buffer);
    checksum.update(buffer);
  }
  return checksum.finish() == record.checksum;
}

void OutputWork::complete(size_t piece, uint64_t checksum, const Sha256Digest& source) {
  journal_->append({piece, checksum, source});
  sources_[piece] = source;
  done_[piece] = 1;
}

void OutputWork::finish(const Metadata& metadata) {
  sink_.rewrite_metadata(metadata);
  sink_.finish();
  journal_->remove();
}

void OutputWork::discard() {
  if (left_) return;
  sink_.discard();
  journal_->remove();
}

}  // namespace nibble
