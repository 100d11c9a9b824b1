#include "kernel/batch_attention.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernel/hadamard.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kBlock = kAttentionPositions;
constexpr int64_t kQueries = 512;          // that share the work of bringing a block into tiles
constexpr int64_t kQueriesForBlocks = 16;  // fewer leave most of a block's lanes without work

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// How many positions a token of the batch sees, from the first one on.
int64_t seen_by(const AttentionBatch& batch, int64_t token) {
  return batch.first + (batch.sees_all ? batch.tokens : token + 1);
}

// The first position that a token at the end of so many sees.
int64_t first_seen(const AttentionBatch& batch, int64_t positions) {
  return batch.window == 0 ? 0 : std::max<int64_t>(positions - batch.window, 0);
}

// 32 queries and what is summed up for them so far.
struct QueryGroup {
  std::vector<float> queries, output, largest, total;
  std::vector<float> slopes;
  std::vector<int64_t> positions;  // that each sees; 0: no query

  explicit QueryGroup(int64_t head_dim)
      : queries(static_cast<size_t>(head_dim * kPairRows)),
        output(static_cast<size_t>(round_up(head_dim, kAttentionTile) * kPairRows)),
        largest(kPairRows, kNoScore),
        total(16 * kPairRows),
        slopes(kPairRows),
        positions(kPairRows) {}
};

// The queries of some tokens that share a head of keys and values.
class HeadAttention {
 public:
  HeadAttention(const AttentionBatch& batch, int64_t kv_head, int64_t begin, int64_t end)
      : batch_(batch), kv_head_(kv_head), begin_(begin), end_(end) {
    const int64_t count = (end - begin) * sharing();
    for (int64_t i = 0; i < count; ++i) {
      if (i % kPairRows == 0) groups_.emplace_back(dim());
      add_query(groups_.back(), i);
    }
  }

  void run() {
    const int64_t positions = seen_by(batch_, end_ - 1);
    const int64_t first = first_seen(batch_, seen_by(batch_, begin_));
    for (int64_t at = first / kBlock * kBlock; at < positions; at += kBlock) {
      const int64_t count = round_up(std::min(kBlock, positions - at), kAttentionTile);
      make_tiles(at, std::min(count, positions - at), count);
      for (QueryGroup& group : groups_) attend_group(group, at, count);
    }
    for (size_t g = 0; g < groups_.size(); ++g) write(groups_[g], static_cast<int64_t>(g));
  }

 private:
  int64_t sharing() const { return batch_.heads / batch_.layout.kv_heads; }
  int64_t dim() const { return batch_.layout.head_dim; }
  // Query i of this part, in the batch.
  int64_t offset(int64_t i) const {
    const int64_t token = begin_ + i / sharing();
    const int64_t head = kv_head_ * sharing() + i % sharing();
    return (token * batch_.heads + head) * dim();
  }

  void add_query(QueryGroup& group, int64_t i) {
    const float* query = batch_.queries + offset(i);
    row_.assign(query, query + dim());
    if (are_keys_rotated(batch_.layout.types.key)) hadamard(row_.data(), dim());
    const int64_t lane = i % kPairRows;
    float* to = group.queries.data() + lane / kPanelRows * kPanelRows * dim();
    for (int64_t k = 0; k < dim(); ++k) {
      to[k * kPanelRows + lane % kPanelRows] = row_[static_cast<size_t>(k)] * batch_.scale;
    }
    const auto at = static_cast<size_t>(lane);
    const int64_t head = kv_head_ * sharing() + i % sharing();
    group.positions[at] = seen_by(batch_, begin_ + i / sharing());
    if (batch_.slopes != nullptr) group.slopes[at] = batch_.slopes[head];
    if (batch_.sinks != nullptr) {
      group.largest[at] = batch_.sinks[head];
      group.total[at] = 1.0f;
    }
  }

  // Keys as tiles of positions, values as tiles of dimensions. Positions beyond the existing ones
  // are not seen by any query.
  void make_tiles(int64_t at, int64_t existing, int64_t count) {
    const int64_t dim = this->dim();
    constexpr int64_t kWidth = kAttentionTile;
    const KvLayout& layout = batch_.layout;
    keys_.resize(static_cast<size_t>(round_up(count, 16) * dim));
    row_.resize(static_cast<size_t>(16 * dim));
    for (int64_t i = 0; i < existing; i += 16) {  // two tiles
      key_reader_.decode_keys(batch_.keys + layout.keys(kv_head_, at + i), dim, row_.data());
      float* key = keys_.data() + i * dim;
      for (int64_t k = 0; k < dim; ++k) {
        std::copy_n(row_.data() + 16 * k, kWidth, key + k * kWidth);
        std::copy_n(row_.data() + 16 * k + kWidth, kWidth, key + (dim + k) * kWidth);
      }
    }
    values_.assign(static_cast<size_t>(count * round_up(dim, kWidth)), 0.0f);
    for (int64_t i = 0; i < existing; ++i) {
      value_reader_.decode_value(batch_.values + layout.value(kv_head_, at + i), dim, row_.data());
      for (int64_t k = 0; k < dim; k += kWidth) {
        std::copy_n(row_.data() + k, std::min(kWidth, dim - k),
                    values_.data() + (k * count + i * kWidth));
      }
    }
  }

  void attend_group(QueryGroup& group, int64_t at, int64_t count) {
    float visible[kPairRows], hidden[kPairRows], behind[kPairRows];
    bool any = false, hides = false;
    for (size_t i = 0; i < kPairRows; ++i) {
      const int64_t positions = group.positions[i];
      visible[i] = static_cast<float>(std::clamp<int64_t>(positions - at, 0, count));
      hidden[i] =
          static_cast<float>(std::clamp<int64_t>(first_seen(batch_, positions) - at, 0, count));
      behind[i] = static_cast<float>(at - (positions - 1));
      any = any || visible[i] > hidden[i];
      hides = hides || hidden[i] > 0.0f;
    }
    if (!any) return;
    scores_.resize(static_cast<size_t>(count * kPairRows));
    weights_.resize(static_cast<size_t>(count * kPairRows));
    operations().attend_block({group.queries.data(), keys_.data(), values_.data(), visible, count,
                               dim(), scores_.data(), weights_.data(), group.largest.data(),
                               group.total.data(), group.output.data(), hides ? hidden : nullptr,
                               batch_.softcap,
                               batch_.slopes == nullptr ? nullptr : group.slopes.data(), behind});
  }

  void write(const QueryGroup& group, int64_t number) {
    for (int64_t lane = 0; lane < kPairRows; ++lane) {
      if (group.positions[static_cast<size_t>(lane)] == 0) return;
      const float factor = 1.0f / total_of(group, lane);
      float* to = batch_.output + offset(number * kPairRows + lane);
      for (int64_t k = 0; k < dim(); ++k) {
        to[k] = group.output[static_cast<size_t>(k * kPairRows + lane)] * factor;
      }
    }
  }

  // In the order of a sum across lanes (simd/scalar.h).
  static float total_of(const QueryGroup& group, int64_t lane) {
    float sums[16];
    for (int64_t k = 0; k < 16; ++k)
      sums[k] = group.total[static_cast<size_t>(k * kPairRows + lane)];
    for (int step = 8; step > 0; step /= 2) {
      for (int k = 0; k < step; ++k) sums[k] += sums[k + step];
    }
    return sums[0];
  }

  const AttentionBatch& batch_;
  int64_t kv_head_, begin_, end_;
  const KvReader& key_reader_ = operations().kv_reader(batch_.layout.types.key);
  const KvReader& value_reader_ = operations().kv_reader(batch_.layout.types.value);
  std::vector<QueryGroup> groups_;
  std::vector<float> keys_, values_, row_, scores_, weights_;
};

// Query heads from `first` on of a token; `count` that share a head of keys and values.
void attend_token(const AttentionBatch& batch, int64_t token, int64_t first, int64_t count) {
  const KvLayout& layout = batch.layout;
  const int64_t dim = layout.head_dim;
  static thread_local std::vector<float> queries, weights;
  weights.resize(static_cast<size_t>(kAttentionHeads * kAttentionPositions));
  const int64_t at = (token * batch.heads + first) * dim;
  queries.assign(batch.queries + at, batch.queries + at + count * dim);
  for (int64_t h = 0; are_keys_rotated(layout.types.key) && h < count; ++h)
    hadamard(queries.data() + h * dim, dim);
  for (float& x : queries) x *= batch.scale;
  const int64_t kv_head = first / (batch.heads / layout.kv_heads);
  float* output = batch.output + at;
  const int64_t positions = seen_by(batch, token);
  operations().attend({queries.data(), batch.keys + layout.keys(kv_head, 0),
                       batch.values + layout.value(kv_head, 0), layout.key_row, layout.value_row,
                       &operations().kv_reader(layout.types.key),
                       &operations().kv_reader(layout.types.value), positions, dim,
                       static_cast<int>(count), weights.data(), output,
                       first_seen(batch, positions), batch.softcap,
                       batch.slopes == nullptr ? nullptr : batch.slopes + first,
                       batch.sinks == nullptr ? nullptr : batch.sinks + first});
}

// How a batch is cut into pieces that know nothing of each other.
class Pieces {
 public:
  // `heads_together`: query heads of a token in one piece at most.
  Pieces(const AttentionBatch& batch, int64_t heads_together)
      : batch_(batch), sharing_(batch.heads / batch.layout.kv_heads) {
    in_blocks_ = batch.tokens > 1 && batch.tokens * sharing_ >= kQueriesForBlocks;
    step_ =
        in_blocks_ ? std::max<int64_t>(1, kQueries / sharing_) : std::min(sharing_, heads_together);
    parts_ = ((in_blocks_ ? batch.tokens : sharing_) + step_ - 1) / step_;
  }

  int64_t count() const {
    return parts_ * batch_.layout.kv_heads * (in_blocks_ ? 1 : batch_.tokens);
  }

  void run(int64_t piece) const {
    const int64_t begin = (in_blocks_ ? piece / batch_.layout.kv_heads : piece % parts_) * step_;
    if (in_blocks_) {
      const int64_t end = std::min(begin + step_, batch_.tokens);
      HeadAttention(batch_, piece % batch_.layout.kv_heads, begin, end).run();
    } else {
      const int64_t kv_head = piece / parts_ % batch_.layout.kv_heads;
      attend_token(batch_, piece / parts_ / batch_.layout.kv_heads, kv_head * sharing_ + begin,
                   std::min(step_, sharing_ - begin));
    }
  }

 private:
  const AttentionBatch& batch_;
  int64_t sharing_;  // query heads that share keys
  bool in_blocks_;   // pieces are some tokens of a head of keys, else some query heads of a token
  int64_t step_;     // tokens or query heads of a piece
  int64_t parts_;
};

std::vector<Pieces> cut(std::span<const AttentionBatch> batches, int threads) {
  // As many heads together as leave every thread something to do.
  int64_t together = kAttentionHeads;
  for (;; together /= 2) {
    std::vector<Pieces> pieces;
    int64_t count = 0;
    for (const AttentionBatch& batch : batches)
      count += pieces.emplace_back(batch, together).count();
    if (together == 1 || count >= 2 * threads) return pieces;
  }
}

}  // namespace

void attend(std::span<const AttentionBatch> batches, ThreadPool& pool) {
  const std::vector<Pieces> pieces = cut(batches, pool.count());
  std::vector<int64_t> ends;
  for (const Pieces& each : pieces) ends.push_back((ends.empty() ? 0 : ends.back()) + each.count());
  pool.run(ends.back(), 1, [&](int64_t piece, int64_t, int) {
    const auto i =
        static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), piece) - ends.begin());
    pieces[i].run(piece - (i == 0 ? 0 : ends[i - 1]));
  });
}

}  // namespace nibble
