#include "kernel/batch_attention.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr int64_t kBlock =
    256;  // positions: with their keys and values, a thread's cache holds them
constexpr int64_t kQueries = 512;  // that share the work of bringing a block into tiles
constexpr float kNone = -1e30f;    // below every score, and its differences are finite

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
        largest(kPairRows, kNone),
        total(kPairRows),
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
      if (i % kPairRows == 0) groups_.emplace_back(batch.head_dim);
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
  int64_t sharing() const { return batch_.heads / batch_.kv_heads; }
  // Query i of this part, in the batch.
  int64_t offset(int64_t i) const {
    const int64_t token = begin_ + i / sharing();
    const int64_t head = kv_head_ * sharing() + i % sharing();
    return (token * batch_.heads + head) * batch_.head_dim;
  }

  void add_query(QueryGroup& group, int64_t i) {
    const float* query = batch_.queries + offset(i);
    const int64_t lane = i % kPairRows;
    float* to = group.queries.data() + lane / kPanelRows * kPanelRows * batch_.head_dim;
    for (int64_t k = 0; k < batch_.head_dim; ++k) {
      to[k * kPanelRows + lane % kPanelRows] = query[k] * batch_.scale;
    }
    group.positions[static_cast<size_t>(lane)] = batch_.first + begin_ + i / sharing() + 1;
  }

  // Keys as tiles of positions, values as tiles of dimensions; `missing` ones are zero.
  void make_tiles(int64_t at, int64_t existing, int64_t count) {
    const int64_t dim = batch_.head_dim;
    constexpr int64_t kWidth = kAttentionTile;
    keys_.assign(static_cast<size_t>(count * dim), 0.0f);
    values_.assign(static_cast<size_t>(count * round_up(dim, kWidth)), 0.0f);
    row_.resize(static_cast<size_t>(dim));
    const int64_t stride = batch_.kv_heads * dim;
    for (int64_t i = 0; i < existing; ++i) {
      const int64_t from = (at + i) * stride + kv_head_ * dim;
      load(batch_.keys + from, dim, row_.data());
      float* key = keys_.data() + i / kWidth * kWidth * dim + i % kWidth;
      for (int64_t k = 0; k < dim; ++k) key[k * kWidth] = row_[static_cast<size_t>(k)];
      load(batch_.values + from, dim, row_.data());
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
                               batch_.head_dim, scores_.data(), weights_.data(),
                               group.largest.data(), group.total.data(), group.output.data()});
  }

  void write(const QueryGroup& group, int64_t number) {
    for (int64_t lane = 0; lane < kPairRows; ++lane) {
      if (group.positions[static_cast<size_t>(lane)] == 0) return;
      const float factor = 1.0f / group.total[static_cast<size_t>(lane)];
      float* to = batch_.output + offset(number * kPairRows + lane);
      for (int64_t k = 0; k < batch_.head_dim; ++k) {
        to[k] = group.output[static_cast<size_t>(k * kPairRows + lane)] * factor;
      }
    }
  }

  const AttentionBatch<Element>& batch_;
  int64_t kv_head_, begin_, end_;
  std::vector<QueryGroup> groups_;
  std::vector<float> keys_, values_, row_, scores_, weights_;
};

template <class Element>
void attend_heads(const AttentionBatch<Element>& batch, ThreadPool& pool) {
  const int64_t sharing = batch.heads / batch.kv_heads;
  const int64_t tokens = std::max<int64_t>(1, kQueries / sharing);
  const int64_t parts = (batch.tokens + tokens - 1) / tokens;
  pool.run(parts * batch.kv_heads, 1, [&](int64_t piece, int64_t, int) {
    const int64_t begin = piece / batch.kv_heads * tokens;
    HeadAttention<Element>(batch, piece % batch.kv_heads, begin,
                           std::min(begin + tokens, batch.tokens))
        .run();
  });
}

}  // namespace

void attend(const AttentionBatch<uint16_t>& batch, ThreadPool& pool) { attend_heads(batch, pool); }
void attend(const AttentionBatch<float>& batch, ThreadPool& pool) { attend_heads(batch, pool); }

}  // namespace nibble
