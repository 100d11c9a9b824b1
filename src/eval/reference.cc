#include "eval/reference.h"

namespace nibble {

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

}  // namespace nibble
