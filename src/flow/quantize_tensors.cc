#include "flow/quantize_tensors.h"

#include <algorithm>
#include <iterator>
#include <semaphore>
#include <utility>

#include "base/xxh64.h"
#include "codec/codec.h"
#include "flow/encode_rows.h"
#include "flow/pieces.h"
#include "flow/run_support.h"

namespace nibble {
namespace {

// One type of one tensor, and the outputs that take it.
struct Encoding {
  DType type;
  std::vector<size_t> outputs;
  Xxh64 checksum = {};
};

// One thread's buffers, and what it did.
struct Worker {
  RowEncoder rows;
  QuantizeTotals done;
};

class Quantizing {
 public:
  Quantizing(const TensorSource& source, const EncodingRules& rules,
             const std::vector<PlannedOutput>& outputs, std::span<const OutputTarget> targets,
             uint64_t memory_limit, int threads)
      : source_(source),
        rules_(rules),
        outputs_(outputs),
        targets_(targets),
        pieces_(cut_into_pieces(source.tensors(), outputs.front().plan)),
        lanes_(static_cast<int>(
            std::clamp<uint64_t>(memory_limit / largest_row(), 1, static_cast<uint64_t>(threads)))),
        lane_bytes_(memory_limit / static_cast<uint64_t>(lanes_)) {}

  const std::vector<Piece>& pieces() const { return pieces_; }
  int lanes() const { return lanes_; }  // threads that may work at a time
  const TensorInfo& stored(const Piece& piece) const {
    return source_.tensors()[source_index(piece.tensor)];
  }

  uint64_t weights(const Piece& piece) const { return piece.rows * stored(piece).shape.columns(); }
  // Whether every output has the piece from an earlier call.
  bool is_done(size_t number) const { return encodings_of(number).empty(); }

  // The pieces of each group of TensorFeedback that some output lacks.
  std::vector<std::vector<size_t>> groups() const {
    std::vector<std::vector<size_t>> result(rules_.feedback.groups());
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (!is_done(i)) result[group_of(i)].push_back(i);
    }
    return result;
  }

  // What the pieces of the group that follow are rounded with.
  void use(std::vector<std::optional<FeedbackFactor>> factors) { factors_ = std::move(factors); }

  // Of a group other than 0: the tensors that lack feedback for a matrix.
  std::vector<std::string> without_feedback(const std::vector<size_t>& group) const {
    std::vector<std::string> names;
    if (std::ranges::all_of(factors_, [](const auto& factor) { return factor.has_value(); }))
      return names;
    for (const size_t number : group) {
      const std::string& name = stored(pieces_[number]).name;
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
  }

  // Returns the weights that were encoded; 0 when no output lacked the piece.
  uint64_t run(size_t number, Worker& worker) const {
    std::vector<Encoding> encodings = encodings_of(number);
    if (encodings.empty()) return 0;
    const Piece& piece = pieces_[number];
    const uint64_t row_bytes = bytes_of_row(piece.tensor);
    const uint64_t step = std::clamp<uint64_t>(lane_bytes_ / row_bytes, 1,
                                               rows_at_once(stored(piece), group_of(number) > 0));
    Sha256 hash;
    for_rows_of(piece, source_, source_index(piece.tensor), step, worker.rows,
                has_journal() ? &hash : nullptr, [&](uint64_t row, uint64_t) {
                  for (Encoding& encoding : encodings) write(piece, row, worker.rows, encoding);
                });
    if (has_journal()) complete(number, hash.finish(), encodings);
    worker.done.source_bytes += piece.rows * stored(piece).row_bytes();
    worker.done.peak_buffer_bytes =
        std::max(worker.done.peak_buffer_bytes, std::min(step, piece.rows) * row_bytes);
    return weights(piece);
  }

 private:
  // A group only matters where some output rounds the tensor.
  size_t group_of(size_t number) const {
    const size_t tensor = pieces_[number].tensor;
    const DType stored_type = stored(pieces_[number]).type;
    const bool is_rounded = std::ranges::any_of(outputs_, [&](const PlannedOutput& output) {
      const DType type = output.plan[tensor].type;
      return type != stored_type && codec(type).domain == Domain::kInteger;
    });
    return is_rounded ? rules_.feedback.group_of(source_index(tensor)) : 0;
  }
  size_t source_index(size_t tensor) const { return outputs_.front().plan[tensor].source_index; }
  bool has_journal() const { return targets_.front().work != nullptr; }

  std::vector<Encoding> encodings_of(size_t number) const {
    std::vector<Encoding> result;
    for (size_t k = 0; k < outputs_.size(); ++k) {
      if (has_journal() && targets_[k].work->has(number)) continue;
      const DType type = outputs_[k].plan[pieces_[number].tensor].type;
      auto found = std::ranges::find(result, type, &Encoding::type);
      if (found == result.end()) found = result.insert(found, {type, {}});
      found->outputs.push_back(k);
    }
    return result;
  }

  void write(const Piece& piece, uint64_t row, RowEncoder& rows, Encoding& encoding) const {
    const RowEncoding how = {rules_.importance.of(source_index(piece.tensor)), rules_.effort,
                             factors_};
    const auto encoded = rows.encode(encoding.type, how);
    if (has_journal()) encoding.checksum.update(encoded);
    const uint64_t row_bytes = outputs_[encoding.outputs.front()].tensors[piece.tensor].row_bytes();
    for (const size_t k : encoding.outputs) {
      targets_[k].sink->write(piece.tensor, row * row_bytes, encoded);
    }
  }

  void complete(size_t number, const Sha256Digest& source,
                const std::vector<Encoding>& encodings) const {
    for (const Encoding& encoding : encodings) {
      for (const size_t k : encoding.outputs) {
        targets_[k].work->complete(number, encoding.checksum.finish(), source);
      }
    }
  }

  uint64_t bytes_of_row(size_t tensor) const {
    std::vector<DType> types;
    for (const PlannedOutput& output : outputs_) types.push_back(output.plan[tensor].type);
    return row_buffer_bytes(source_.tensors()[source_index(tensor)], types);
  }

  uint64_t largest_row() const {
    uint64_t largest = 1;
    for (size_t i = 0; i < outputs_.front().plan.size(); ++i) {
      largest = std::max(largest, bytes_of_row(i));
    }
    return largest;
  }

  const TensorSource& source_;
  const EncodingRules& rules_;
  const std::vector<PlannedOutput>& outputs_;
  std::span<const OutputTarget> targets_;
  std::vector<Piece> pieces_;
  int lanes_;
  uint64_t lane_bytes_;
  std::vector<std::optional<FeedbackFactor>> factors_;
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

QuantizeTotals sum_of(const std::vector<Worker>& workers, int lanes) {
  QuantizeTotals sum;
  for (const auto& [rows, done] : workers) {
    sum.source_bytes += done.source_bytes;
    sum.peak_buffer_bytes = std::max(sum.peak_buffer_bytes, done.peak_buffer_bytes);
  }
  sum.peak_buffer_bytes *= static_cast<uint64_t>(lanes);
  return sum;
}

}  // namespace

QuantizeTotals quantize_tensors(const TensorSource& source, const EncodingRules& rules,
                                const std::vector<PlannedOutput>& outputs,
                                std::span<const OutputTarget> targets, uint64_t memory_limit,
                                ThreadPool& pool, const RunOptions& run) {
  Quantizing quantizing(source, rules, outputs, targets, memory_limit, pool.count());
  const auto& pieces = quantizing.pieces();
  uint64_t weights = 0;
  uint64_t resumed = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    weights += quantizing.weights(pieces[i]);
    if (quantizing.is_done(i)) resumed += quantizing.weights(pieces[i]);
  }
  Phase phase(run, "quantizing", "weights", weights, resumed);
  std::counting_semaphore<> lanes(quantizing.lanes());
  std::vector<Worker> workers(static_cast<size_t>(pool.count()));
  const auto groups = quantizing.groups();
  std::vector<std::string> unusable_moments;
  for (size_t group = 0; group < groups.size(); ++group) {
    if (groups[group].empty()) continue;
    quantizing.use(rules.feedback.factors(group, rules.effort, pool));
    std::ranges::copy(quantizing.without_feedback(groups[group]),
                      std::back_inserter(unusable_moments));
    pool.run(static_cast<int64_t>(groups[group].size()), 1, [&](int64_t i, int64_t, int worker) {
      const Turn turn(lanes);
      phase.advance(quantizing.run(groups[group][static_cast<size_t>(i)],
                                   workers[static_cast<size_t>(worker)]));
    });
  }
  QuantizeTotals totals = sum_of(workers, quantizing.lanes());
  totals.unusable_moments = std::move(unusable_moments);
  return totals;
}

}  // namespace nibble
