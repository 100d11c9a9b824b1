#include "eval/shared_prefix.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "infer/session.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

using Group = std::vector<ScoredText>;
using Tokens = std::span<const uint32_t>;

// Logits of so many tokens are held at a time: half of what a batch may have, 128 MiB for a
// vocabulary of 128 thousand.
constexpr size_t kMostTokens = Session::kBatch, kMostWanted = kMostTokens / 2;

// Caches take as much memory at most, if one group fits into it.
constexpr int64_t kCacheBytes = int64_t{1} << 30;
constexpr int64_t kMostSequences = 128;

int64_t count_sequences(const ModelConfig& config, KvTypes kv_types, int64_t longest,
                        int64_t most_texts) {
  const int64_t each = kv_bytes_per_position(config, kv_types) * longest;
  return 1 + std::max(most_texts, std::min(kMostSequences, kCacheBytes / each));
}

// What is read of a text: its last token predicts nothing.
Tokens read_part(const ScoredText& text) {
  return Tokens(text.tokens).first(text.tokens.size() - 1);
}

size_t common_length(Tokens a, Tokens b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// Tokens that all texts of a group begin with, without those whose successors are scored.
Tokens common_beginning(const Group& group) {
  Tokens common = read_part(group.front());
  for (const ScoredText& text : group)
    common = common.first(std::min(common_length(common, read_part(text)), text.first - 1));
  return common;
}

}  // namespace

SharedPrefixScorer::SharedPrefixScorer(const ModelConfig& config, const Weights& weights,
                                       ThreadPool& pool, int64_t longest, int64_t most_texts,
                                       KvTypes kv_types)
    : vocab_size_(weights.vocab_size()),
      sequences_(config, weights, pool, count_sequences(config, kv_types, longest, most_texts),
                 longest, kv_types) {}

std::vector<std::vector<double>> SharedPrefixScorer::score(
    std::span<const Group> groups, const std::function<void(int64_t)>& on_group) {
  std::vector<std::vector<double>> sums;
  for (const Group& group : groups) sums.emplace_back(group.size());
  for (size_t begin = 0; begin < groups.size();) {
    const size_t count = groups_that_fit(groups.subspan(begin));
    score_together(groups.subspan(begin, count), std::span(sums).subspan(begin, count));
    begin += count;
    on_group(static_cast<int64_t>(begin));
  }
  return sums;
}

// At least one.
size_t SharedPrefixScorer::groups_that_fit(std::span<const Group> groups) const {
  int64_t texts = 0, tokens = 0;
  size_t count = 0;
  for (; count < groups.size(); ++count) {
    const auto common = common_beginning(groups[count]).size();
    for (const ScoredText& text : groups[count])
      tokens += static_cast<int64_t>(read_part(text).size() - common);
    texts += static_cast<int64_t>(groups[count].size());
    if (count > 0 && (texts >= sequences_.count() || tokens > int64_t{kMostTokens})) break;
  }
  return count;
}

void SharedPrefixScorer::score_together(std::span<const Group> groups,
                                        std::span<std::vector<double>> sums) {
  const size_t stem = read_common_beginning(groups);
  std::vector<Piece> beginnings, endings;
  std::vector<size_t> first_endings;  // of each group
  for (size_t g = 0; g < groups.size(); ++g) {
    const auto sequence = kStem + 1 + static_cast<int64_t>(endings.size());
    sequences_.copy(kStem, sequence, static_cast<int64_t>(stem));
    beginnings.push_back({sequence, common_beginning(groups[g]).subspan(stem)});
    first_endings.push_back(endings.size());
    add_endings(groups[g], sums[g], sequence, endings);
  }
  read(beginnings);
  first_endings.push_back(endings.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    const int64_t from = beginnings[g].sequence;
    for (size_t e = first_endings[g] + 1; e < first_endings[g + 1]; ++e)
      sequences_.copy(from, endings[e].sequence, sequences_.position(from));
  }
  read(endings);
}

// Brings the stem to what all groups begin with, and returns how many tokens that are.
size_t SharedPrefixScorer::read_common_beginning(std::span<const Group> groups) {
  Tokens common = common_beginning(groups.front());
  for (const Group& group : groups)
    common = common.first(common_length(common, common_beginning(group)));
  const size_t kept = common_length(stem_, common);
  sequences_.rewind(kStem, static_cast<int64_t>(kept));
  stem_.assign(common.begin(), common.end());
  read(std::vector<Piece>{{kStem, common.subspan(kept)}});
  return common.size();
}

// In sequences from `sequence` on, one for all texts that differ in their last token only.
void SharedPrefixScorer::add_endings(const Group& group, std::vector<double>& sums,
                                     int64_t sequence, std::vector<Piece>& endings) {
  const size_t begin = common_beginning(group).size();
  const auto first = static_cast<ptrdiff_t>(endings.size());
  for (size_t t = 0; t < group.size(); ++t) {
    const Tokens tokens = read_part(group[t]).subspan(begin);
    auto piece = std::find_if(endings.begin() + first, endings.end(), [&](const Piece& other) {
      return std::ranges::equal(other.tokens, tokens);
    });
    if (piece == endings.end()) piece = endings.insert(piece, Piece{sequence++, tokens, begin});
    piece->wanted = std::max(piece->wanted, group[t].tokens.size() - group[t].first);
    piece->asked.push_back({&group[t], &sums[t]});
  }
}

// In batches of bounded size.
void SharedPrefixScorer::read(std::span<const Piece> pieces) {
  std::vector<Cut> batch;
  size_t tokens = 0, wanted = 0;
  const auto feed_batch = [&] {
    if (!batch.empty()) feed(batch);
    batch.clear();
    tokens = wanted = 0;
  };
  for (const Piece& piece : pieces) {
    const size_t size = piece.tokens.size();
    for (size_t at = 0; at < size;) {
      const size_t first_wanted = std::max(at, size - piece.wanted);
      const size_t end =
          std::min({size, at + kMostTokens - tokens, first_wanted + kMostWanted - wanted});
      if (end > at) {
        const size_t rows = end - std::min(end, first_wanted);
        batch.push_back({&piece, at, end, rows});
        tokens += end - at;
        wanted += rows;
      }
      at = end;
      if (end < size) feed_batch();  // it is full
    }
  }
  feed_batch();
}

void SharedPrefixScorer::feed(std::span<const Cut> batch) {
  std::vector<Sequences::Next> parts;
  for (const auto& [piece, begin, end, wanted] : batch) {
    parts.push_back(
        {piece->sequence, piece->tokens.subspan(begin, end - begin), static_cast<int64_t>(wanted)});
    read_tokens_ += static_cast<int64_t>(end - begin);
  }
  auto logits = sequences_.feed(parts);
  const auto width = static_cast<size_t>(vocab_size_);
  for (const auto& [piece, begin, end, wanted] : batch) {
    for (size_t at = end - wanted; at < end; ++at, logits = logits.subspan(width))
      add_row(*piece, piece->begin + at, logits.first(width));
  }
}

// `row` are the logits after the texts' token `position`.
void SharedPrefixScorer::add_row(const Piece& piece, size_t position,
                                 std::span<const float> row) const {
  const double log_sum = operations().log_sum_exp(row.data(), vocab_size_);
  for (const auto& [text, sum] : piece.asked) {
    if (position + 1 < text->first) continue;
    *sum += row[text->tokens[position + 1]] - log_sum;
    if (!std::isfinite(*sum)) {
      fail(ErrorCode::kInvalidFile, "the model computes {} for token {}; its weights are damaged",
           row[text->tokens[position + 1]], text->tokens[position + 1]);
    }
  }
}

}  // namespace nibble
