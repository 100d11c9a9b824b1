#include "eval/reference_writer.h"

#include <algorithm>

#include "base/random.h"
#include "eval/compact_row.h"

namespace nibble {

void LogitsWriter::write(const ScoredRows& rows, std::span<const Score> scores, ThreadPool& pool) {
  pool.run(rows.count(), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<size_t>(i);
      const double log_sum = scores[at].nll + static_cast<double>(rows.row(i)[rows.next[at]]);
      file_.write(rows.window, rows.begin + i, rows.row(i), log_sum);
    }
  });
}

void CompactWriter::write(const ScoredRows& rows, std::span<const Score>, ThreadPool& pool) {
  logits_.resize(static_cast<size_t>(pool.count() * rows.vocab_size));
  pool.run(rows.count(), 1, [&](int64_t begin, int64_t end, int worker) {
    CompactRow content;
    float* logits = logits_.data() + worker * rows.vocab_size;
    for (int64_t i = begin; i < end; ++i) {
      std::copy_n(rows.row(i), rows.vocab_size, logits);
      const int64_t position = rows.window * layout_.scored() + rows.begin + i;
      const uint64_t seed =
          SplitMix64(seed_ ^ SplitMix64(static_cast<uint64_t>(position)).next()).next();
      fill_compact_row(logits, rows.vocab_size, rows.next[static_cast<size_t>(i)], seed, layout_,
                       content);
      file_.write(rows.window, rows.begin + i, content);
    }
  });
}

}  // namespace nibble
