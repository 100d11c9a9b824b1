#include "flow/quantize_tensors.h"

#include <algorithm>
#include <mutex>
#include <semaphore>

#include "flow/encode_rows.h"
#include "flow/pieces.h"
#include "flow/run_support.h"

namespace nibble {
namespace {

// One type of one tensor, and the outputs that take it.
struct Encoding {
  DType type;
  std::vector<size_t> outputs;
};

class Quantizing {
 public:
  Quantizing(const TensorSource& source, const TensorImportance& importance,
             const std::vector<PlannedOutput>& outputs, std::span<TensorSink* const> sinks,
             uint64_t memory_limit, int threads)
      : source_(source),
        importance_(importance),
        outputs_(outputs),
        sinks_(sinks),
        lanes_(static_cast<int>(
            std::clamp<uint64_t>(memory_limit / largest_row(), 1, static_cast<uint64_t>(threads)))),
        lane_bytes_(memory_limit / static_cast<uint64_t>(lanes_)) {}

  int lanes() const { return lanes_; }  // threads that may work at a time
  const TensorInfo& stored(const Piece& piece) const {
    return source_.tensors()[outputs_.front().plan[piece.tensor].source_index];
  }

  // Returns the most bytes of buffers that were in use.
  uint64_t run(const Piece& piece, RowEncoder& rows) const {
    const std::vector<Encoding> encodings = encodings_of(piece.tensor);
    const size_t tensor = outputs_.front().plan[piece.tensor].source_index;
    const TensorInfo& info = source_.tensors()[tensor];
    const uint64_t row_bytes = bytes_of_row(piece.tensor);
    const uint64_t step = std::clamp<uint64_t>(lane_bytes_ / row_bytes, 1, rows_at_once(info));
    for (uint64_t done = 0; done < piece.rows; done += step) {
      const uint64_t first = piece.first_row + done;
      const uint64_t count = std::min(step, piece.rows - done);
      rows.read(source_, tensor, first, count);
      for (const Encoding& encoding : encodings) {
        const auto encoded = rows.encode(encoding.type, {importance_.of(tensor), Effort::kDefault});
        const uint64_t offset = first * (encoded.size() / count);
        for (const size_t k : encoding.outputs) sinks_[k]->write(piece.tensor, offset, encoded);
      }
    }
    return std::min(step, piece.rows) * row_bytes;
  }

 private:
  std::vector<Encoding> encodings_of(size_t tensor) const {
    std::vector<Encoding> result;
    for (size_t k = 0; k < outputs_.size(); ++k) {
      const DType type = outputs_[k].plan[tensor].type;
      auto found = std::ranges::find(result, type, &Encoding::type);
      if (found == result.end()) found = result.insert(found, {type, {}});
      found->outputs.push_back(k);
    }
    return result;
  }

  uint64_t bytes_of_row(size_t tensor) const {
    std::vector<DType> types;
    for (const PlannedOutput& output : outputs_) types.push_back(output.plan[tensor].type);
    return row_buffer_bytes(source_.tensors()[outputs_.front().plan[tensor].source_index], types);
  }

  uint64_t largest_row() const {
    uint64_t largest = 1;
    for (size_t i = 0; i < outputs_.front().plan.size(); ++i) {
      largest = std::max(largest, bytes_of_row(i));
    }
    return largest;
  }

  const TensorSource& source_;
  const TensorImportance& importance_;
  const std::vector<PlannedOutput>& outputs_;
  std::span<TensorSink* const> sinks_;
  int lanes_;
  uint64_t lane_bytes_;
};

// What all threads add to.
class Totals {
 public:
  Totals(const RunOptions& run, uint64_t weights, int lanes)
      : lanes_(static_cast<uint64_t>(lanes)), phase_(run, "quantizing", "weights", weights) {}

  void add(const TensorInfo& info, const Piece& piece, uint64_t buffer_bytes) {
    const std::lock_guard lock(mutex_);
    weights_ += piece.rows * info.shape.columns();
    sum_.source_bytes += piece.rows * info.row_bytes();
    sum_.peak_buffer_bytes = std::max(sum_.peak_buffer_bytes, lanes_ * buffer_bytes);
    phase_.advance_to(weights_);
  }
  const QuantizeTotals& sum() const { return sum_; }

 private:
  std::mutex mutex_;
  uint64_t lanes_;
  uint64_t weights_ = 0;
  QuantizeTotals sum_;
  Phase phase_;
};

// Keeps the number of threads that hold buffers within what memory allows.
class Turn {
 public:
  explicit Turn(std::counting_semaphore<>& lanes) : lanes_(lanes) { lanes_.acquire(); }
  ~Turn() { lanes_.release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::counting_semaphore<>& lanes_;
};

}  // namespace

QuantizeTotals quantize_tensors(const TensorSource& source, const TensorImportance& importance,
                                const std::vector<PlannedOutput>& outputs,
                                std::span<TensorSink* const> sinks, uint64_t memory_limit,
                                ThreadPool& pool, const RunOptions& run) {
  const auto pieces = cut_into_pieces(source.tensors(), outputs.front().plan);
  const Quantizing quantizing(source, importance, outputs, sinks, memory_limit, pool.count());
  uint64_t weights = 0;
  for (const Piece& piece : pieces)
    weights += piece.rows * quantizing.stored(piece).shape.columns();
  Totals totals(run, weights, quantizing.lanes());
  std::counting_semaphore<> lanes(quantizing.lanes());
  std::vector<RowEncoder> encoders(static_cast<size_t>(pool.count()));
  pool.run(static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t, int worker) {
    const Piece& piece = pieces[static_cast<size_t>(begin)];
    const Turn turn(lanes);
    totals.add(quantizing.stored(piece), piece,
               quantizing.run(piece, encoders[static_cast<size_t>(worker)]));
  });
  return totals.sum();
}

}  // namespace nibble
