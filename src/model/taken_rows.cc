#include "model/taken_rows.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace nibble {
namespace {

// Row `row` of GGUF's order is pair (row / 2), element (row % 2) of its head; the checkpoint holds
// all first elements of a head before all second ones.
uint64_t checkpoint_row(uint64_t row, uint64_t head_rows) {
  const uint64_t head = row / head_rows;
  const uint64_t within = row % head_rows;
  return head * head_rows + within % 2 * (head_rows / 2) + within / 2;
}

TakenRows half_taken(const TensorInfo& stored, const CheckpointPlace& from, uint64_t rows,
                     const RowOptions& options) {
  const size_t dim = stored.shape.rank == 1 || from.place.is_bias ? 0 : 1;
  const uint64_t matrix = stored.shape.dims[dim];
  if (matrix % 2 != 0) fail_to_divide(stored, "two halves", options.origin);
  const uint64_t half = matrix / 2;
  const bool alternates = from.take == Take::kEvenRows || from.take == Take::kOddRows;
  const uint64_t step = alternates ? 2 : 1;
  const uint64_t begin = from.take == Take::kOddRows      ? 1
                         : from.take == Take::kSecondHalf ? half
                                                          : 0;
  return {rows / 2, [=](uint64_t row) { return row / half * matrix + begin + row % half * step; }};
}

TakenRows groups_taken(const TensorInfo& stored, Take take, uint64_t rows,
                       const RowOptions& options) {
  const uint64_t heads = options.heads, kv_heads = options.kv_heads;
  if (kv_heads == 0 || heads % kv_heads != 0 || rows % (heads + 2 * kv_heads) != 0)
    fail_to_divide(stored, fmt::format("{} + 2 x {} heads", heads, kv_heads), options.origin);
  const uint64_t head = rows / (heads + 2 * kv_heads), queries = heads / kv_heads;
  const uint64_t group = (queries + 2) * head;
  const auto query = [=](uint64_t row) {
    return row / (queries * head) * group + row % (queries * head);
  };
  const auto key = [=](uint64_t row) { return row / head * group + queries * head + row % head; };
  const auto value = [=](uint64_t row) { return key(row) + head; };
  switch (take) {
    case Take::kGroupQueries:
      return {heads * head, query};
    case Take::kGroupKeys:
      return {kv_heads * head, key};
    case Take::kGroupValues:
      return {kv_heads * head, value};
    default:
      return {rows, [=](uint64_t row) {
                if (row < heads * head) return query(row);
                row -= heads * head;
                return row < kv_heads * head ? key(row) : value(row - kv_heads * head);
              }};
  }
}

// Each head's value lies behind its key.
TakenRows head_values_taken(const TensorInfo& stored, uint64_t rows, const RowOptions& options) {
  const uint64_t values = options.value_rows;
  const uint64_t head = options.heads == 0 ? 0 : rows / options.heads;
  if (head == 0 || rows % options.heads != 0 || values == 0 || values >= head) {
    fail_to_divide(stored, fmt::format("{} heads with values of {} rows", options.heads, values),
                   options.origin);
  }
  return {options.heads * values,
          [=](uint64_t row) { return row / values * head + head - values + row % values; }};
}

void permute_heads(const TensorInfo& stored, Role role, const RowOptions& options,
                   TakenRows& taken) {
  const uint64_t heads = role == Role::kAttnQ   ? options.heads
                         : role == Role::kAttnK ? options.kv_heads
                                                : 0;
  if (heads == 0) return;
  if (taken.count % (2 * heads) != 0)
    fail_to_divide(stored, fmt::format("{} heads of an even size", heads), options.origin);
  const uint64_t head_rows = taken.count / heads;
  taken.row = [head_rows, row_of = std::move(taken.row)](uint64_t row) {
    const uint64_t permuted = checkpoint_row(row, head_rows);
    return row_of ? row_of(permuted) : permuted;
  };
}

}  // namespace

TakenRows rows_taken(const TensorInfo& stored, const CheckpointPlace& from,
                     const RowOptions& options) {
  const bool is_vector = stored.shape.rank == 1 || from.place.is_bias;
  TakenRows taken{is_vector ? stored.shape.count() : stored.shape.rows(), {}};
  switch (from.take) {
    case Take::kAll:
    case Take::kTransposed:
    case Take::kTransposedEven:
    case Take::kTransposedOdd:
    case Take::kHeadKeys:  // which are no rows
      break;
    case Take::kHeadValues:
      taken = head_values_taken(stored, taken.count, options);
      break;
    case Take::kFirstHalf:
    case Take::kSecondHalf:
    case Take::kEvenRows:
    case Take::kOddRows:
      taken = half_taken(stored, from, taken.count, options);
      break;
    case Take::kGroups:
    case Take::kGroupQueries:
    case Take::kGroupKeys:
    case Take::kGroupValues:
      taken = groups_taken(stored, from.take, taken.count, options);
  }
  if (options.permutes_qk) permute_heads(stored, from.place.role, options, taken);
  return taken;
}

void fail_to_divide(const TensorInfo& stored, const std::string& into, const std::string& origin) {
  fail(ErrorCode::kInvalidFile, "{}: tensor {} ({}): its rows cannot be divided among {}", origin,
       stored.name, to_string(stored.shape), into);
}

}  // namespace nibble
