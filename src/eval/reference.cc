#include "eval/reference.h"

#include <fstream>

#include "eval/compact_row.h"

namespace nibble {
namespace {

bool begins_with(const std::filesystem::path& path, std::string_view magic) {
  std::ifstream file(path, std::ios::binary);
  std::string begin(magic.size(), '\0');
  return file.read(begin.data(), static_cast<std::streamsize>(begin.size())) && begin == magic;
}

}  // namespace

std::unique_ptr<StoredReference> open_stored_reference(const std::filesystem::path& path) {
  if (begins_with(path, kLogitsMagic)) return std::make_unique<LogitsReference>(path);
  if (begins_with(path, kCompactMagic)) return std::make_unique<CompactReference>(path);
  return nullptr;
}

void ModelReference::on_read(std::span<const uint32_t> tokens, int64_t position, int64_t wanted) {
  session_.rewind(position);
  session_.read(tokens, wanted);
  compared_ = 0;
}

void ModelReference::compare(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) {
  const auto logits = session_.logits(compared_, rows.count());
  compared_ += rows.count();
  score_rows(rows, pool, scores, [&](int64_t i, int) {
    return compare_logits(logits.data() + i * rows.vocab_size, rows.row(i), rows.vocab_size,
                          rows.next[static_cast<size_t>(i)]);
  });
}

StoredReference::Text LogitsReference::text() const {
  const LogitsLayout& layout = logits_.layout();
  return {layout.context, layout.vocab_size, layout.windows, std::nullopt, logits_.tokens()};
}

void LogitsReference::compare(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) {
  log_probabilities_.resize(static_cast<size_t>(pool.count() * rows.vocab_size));
  score_rows(rows, pool, scores, [&](int64_t i, int worker) {
    float* row = log_probabilities_.data() + worker * rows.vocab_size;
    logits_.read(rows.window, rows.begin + i, row);
    return compare_log_probabilities(row, rows.row(i), rows.vocab_size,
                                     rows.next[static_cast<size_t>(i)]);
  });
  const LogitsLayout& layout = logits_.layout();
  file_.forget(layout.offset(rows.window, rows.begin),
               static_cast<uint64_t>(rows.count()) * layout.row_bytes());
}

StoredReference::Text CompactReference::text() const {
  const CompactLayout& layout = compact_.layout();
  return {layout.context, layout.vocab_size, layout.windows, layout.vocabulary_hash,
          compact_.tokens()};
}

void CompactReference::compare(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) {
  score_rows(rows, pool, scores, [&](int64_t i, int) {
    CompactRow row;
    compact_.read(rows.window, rows.begin + i, row);
    return compare_compact_row(row, rows.row(i), rows.vocab_size,
                               rows.next[static_cast<size_t>(i)]);
  });
  const CompactLayout& layout = compact_.layout();
  file_.forget(layout.offset(rows.window, rows.begin),
               static_cast<uint64_t>(rows.count()) * layout.row_bytes());
}

}  // namespace nibble
