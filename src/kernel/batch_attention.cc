#include "kernel/batch_attention.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kBlock = kAttentionPositions;
constexpr int64_t kQueries = 512;          // that share the work of bringing a block into tiles
constexpr int64_t kQueriesForBlocks = 16;  // fewer leave most of a block's lanes without work

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

void load(const uint16_t* row, int64_t n, float* x) { operations().to_f32(row, n, x); }
void load(const float* row, int64_t n, float* x) { std::copy_n(row, n, x); }

// 32 queries and what is summed up for them so far.
struct QueryGroup {
  std::vector<float> queries, output, largest, total;
  std::vector<int64_t> positions;  // that each sees; 0: no query

  explicit QueryGroup(int64_t head_dim)
      : queries(static_cast<size_t>(head_dim * kPairRows)),
        output(static_cast<size_t>(round_up(head_dim, kAttentionTile) * kPairRows)),
        largest(kPairRows, kNoScore),
        total(16 * kPairRows),
        positions(kPairRows) {}
};

// The queries of some tokens that share a head of keys and values.
template <class Element>
class HeadAttention {
 public:
  HeadAttention(const AttentionBatch<Element>& batch, int64_t kv_head, int64_t begin, int64_t end)
      : batch_(batch), kv_head_(kv_head), begin_(begin), end_(end) {
    const int64_t count = (end - begin) * sharing();
    for (int64_t i = 0; i < count; ++i) {
      if (i % kPairRows == 0) groups_.emplace_back(dim());
      add_query(groups_.back(), i);
    }
  }

  void run() {
    const int64_t positions = batch_.first + end_;
    for (int64_t at = 0; at < positions; at += kBlock) {
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
    const int64_t lane = i % kPairRows;
    float* to = group.queries.data() + lane / kPanelRows * kPanelRows * dim();
    for (int64_t k = 0; k < dim(); ++k) {
      to[k * kPanelRows + lane % kPanelRows] = query[k] * batch_.scale;
    }
    group.positions[static_cast<size_t>(lane)] = batch_.first + begin_ + i / sharing() + 1;
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
      load(batch_.keys + layout.head(kv_head_) + layout.key(at + i), 16 * dim, row_.data());
      float* key = keys_.data() + i * dim;
      for (int64_t k = 0; k < dim; ++k) {
        std::copy_n(row_.data() + 16 * k, kWidth, key + k * kWidth);
        std::copy_n(row_.data() + 16 * k + kWidth, kWidth, key + (dim + k) * kWidth);
      }
    }
    values_.assign(static_cast<size_t>(count * round_up(dim, kWidth)), 0.0f);
    for (int64_t i = 0; i < existing; ++i) {
      load(batch_.values + layout.head(kv_head_) + layout.value(at + i), dim, row_.data());
      for (int64_t k = 0; k < dim; k += kWidth) {
        std::copy_n(row_.data() + k, std::min(kWidth, dim - k),
                    values_.data() + (k * count + i * kWidth));
      }
    }
  }

  void attend_group(QueryGroup& group, int64_t at, int64_t count) {
    float visible[kPairRows];
    bool any = false;
    for (size_t i = 0; i < kPairRows; ++i) {
      visible[i] = static_cast<float>(std::clamp<int64_t>(group.positions[i] - at, 0, count));
      any = any || visible[i] > 0.0f;
    }
    if (!any) return;
    scores_.resize(static_cast<size_t>(count * kPairRows));
    weights_.resize(static_cast<size_t>(count * kPairRows));
    operations().attend_block({group.queries.data(), keys_.data(), values_.data(), visible, count,
                               dim(), scores_.data(), weights_.data(), group.largest.data(),
                               group.total.data(), group.output.data()});
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

  const AttentionBatch<Element>& batch_;
  int64_t kv_head_, begin_, end_;
  std::vector<QueryGroup> groups_;
  std::vector<float> keys_, values_, row_, scores_, weights_;
};

template <class Element>
void attend_in_blocks(const AttentionBatch<Element>& batch, ThreadPool& pool) {
  const int64_t kv_heads = batch.layout.kv_heads;
  const int64_t tokens = std::max<int64_t>(1, kQueries / (batch.heads / kv_heads));
  const int64_t parts = (batch.tokens + tokens - 1) / tokens;
  pool.run(parts * kv_heads, 1, [&](int64_t piece, int64_t, int) {
    const int64_t begin = piece / kv_heads * tokens;
    HeadAttention<Element>(batch, piece % kv_heads, begin, std::min(begin + tokens, batch.tokens))
        .run();
  });
}

void attend_heads(const AttentionHeads<uint16_t>& heads) { operations().attend_f16(heads); }
void attend_heads(const AttentionHeads<float>& heads) { operations().attend_f32(heads); }

// Query heads from `first` on of a token; `count` that share a head of keys and values.
template <class Element>
void attend_token(const AttentionBatch<Element>& batch, int64_t token, int64_t first,
                  int64_t count) {
  const KvLayout& layout = batch.layout;
  static thread_local std::vector<float> queries, weights;
  weights.resize(static_cast<size_t>(kAttentionHeads * kAttentionPositions));
  queries.resize(static_cast<size_t>(count * layout.head_dim));
  const int64_t at = (token * batch.heads + first) * layout.head_dim;
  for (size_t i = 0; i < queries.size(); ++i)
    queries[i] = batch.queries[at + static_cast<int64_t>(i)] * batch.scale;
  const int64_t head = layout.head(first / (batch.heads / layout.kv_heads));
  attend_heads(AttentionHeads<Element>{queries.data(), batch.keys + head, batch.values + head,
                                       batch.first + token + 1, layout.head_dim,
                                       static_cast<int>(count), weights.data(), batch.output + at});
}

template <class Element>
void attend_one_by_one(const AttentionBatch<Element>& batch, ThreadPool& pool) {
  const int64_t sharing = batch.heads / batch.layout.kv_heads;
  // As many heads together as leave every thread something to do.
  int64_t together = std::min<int64_t>(sharing, kAttentionHeads);
  while (together > 1 && batch.tokens * batch.heads / together < 2 * pool.count()) together /= 2;
  const int64_t parts = (sharing + together - 1) / together;  // of each head of keys
  pool.run(batch.tokens * batch.layout.kv_heads * parts, 1, [&](int64_t piece, int64_t, int) {
    const int64_t begin = piece % parts * together;
    const int64_t kv_head = piece / parts % batch.layout.kv_heads;
    attend_token(batch, piece / parts / batch.layout.kv_heads, kv_head * sharing + begin,
                 std::min(together, sharing - begin));
  });
}

template <class Element>
void attend_batch(const AttentionBatch<Element>& batch, ThreadPool& pool) {
  const int64_t queries = batch.tokens * (batch.heads / batch.layout.kv_heads);
  if (batch.tokens > 1 && queries >= kQueriesForBlocks) {
    attend_in_blocks(batch, pool);
  } else {
    attend_one_by_one(batch, pool);
  }
}

}  // namespace

void attend(const AttentionBatch<uint16_t>& batch, ThreadPool& pool) { attend_batch(batch, pool); }
void attend(const AttentionBatch<float>& batch, ThreadPool& pool) { attend_batch(batch, pool); }

}  // namespace nibble
