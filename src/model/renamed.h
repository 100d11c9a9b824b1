// Renamed: a Hugging Face checkpoint as GGUF names and lays out its tensors. Nothing is copied
// until it is read.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/arch.h"
#include "model/roles.h"
#include "model/taken_rows.h"
#include "tensor/source.h"

namespace nibble {

struct RenamedOptions {
  uint64_t heads = 0;  // rows of q and k are reordered per head
  uint64_t kv_heads = 0;
  uint64_t value_rows = 0;  // see RowOptions
  // Layers behind the last of these are no part of the language model; 0: there are none.
  uint64_t layers = 0;
  uint64_t experts = 0;  // whose matrices are stacked into one tensor
  bool tied_output =
      false;  // the checkpoint's output matrix, if any, repeats the embedding: left out
  // Tensors that a checkpoint does not hold, f32.
  std::vector<std::pair<Role, std::vector<float>>> made = {};
  std::string origin = {};  // what messages call the checkpoint
};

// Tensors of checkpoints that are no weights of the language model.
bool is_ignored(const Arch& arch, std::string_view name);

class Renamed final : public TensorSource {
 public:
  // Tensors come in the order of layers, as roles.h lists them; kMatrixScale of the source's names
  // (quantized_weights.h) is the scale of a matrix. Errors: kUnsupported for a tensor
  // that the architecture has no role for, kInvalidFile for rows that heads or halves do not
  // divide, for two tensors of one meaning, and for experts that are missing, too many or unlike
  // each other.
  Renamed(const TensorSource& source, const Arch& arch, RenamedOptions options);

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t tensor, uint64_t first, uint64_t count,
                 std::span<std::byte> out) const override;
  std::span<const std::byte> view(size_t tensor) const override;
  std::span<const std::byte> view_rows(size_t tensor, uint64_t first,
                                       uint64_t count) const override;

 private:
  struct Origin {
    std::vector<size_t> parts;  // of the source, whose rows follow each other; none: `made`
    RowMap row = {};            // none: the same
    uint64_t column_step = 0;   // > 0: rows are columns of the part, that many apart
    uint64_t first_column = 0;
    uint64_t matrix_rows = 0;  // of the part, from a matrix to the next; 0: its columns
    bool by_element = false;   // `row` is of elements
    bool lacks_one = false;    // f32, less by one than it is to be
    bool in_one_row = false;   // the parts are numbers that stand side by side
    size_t made = 0;           // which of options_.made
  };
  // An expert's matrix.
  struct Part {
    TensorPlace place;
    uint64_t expert;
    Take take;
    size_t tensor;  // of the source
  };
  void add(TensorInfo tensor, const TensorPlace& place, Origin origin);
  void add_scale(size_t index, const TensorPlace& place);
  void add_stored(size_t index, const CheckpointPlace& from, const Arch& arch);
  void add_stacked(std::vector<Part> parts, const Arch& arch);
  void add_made();
  TensorInfo stack(std::span<const Part> parts) const;
  RowOptions row_options(const Arch& arch) const;
  void sort_by_place();
  uint64_t rows_of_part(size_t tensor) const;
  bool is_as_stored(const Origin& origin) const;
  void take_head_keys(TensorInfo& tensor, Origin& origin) const;
  void transpose(const CheckpointPlace& from, TensorInfo& tensor, Origin& origin) const;
  void read_side_by_side(const Origin& origin, std::span<std::byte> out) const;
  void read_elements(const Origin& origin, uint64_t first, std::span<std::byte> out) const;
  void read_transposed(size_t tensor, uint64_t first, uint64_t count,
                       std::span<std::byte> out) const;
  void read_plus_one(const Origin& origin, uint64_t first, uint64_t count, uint64_t row_bytes,
                     std::span<std::byte> out) const;

  const TensorSource& source_;
  RenamedOptions options_;
  std::vector<TensorInfo> tensors_;
  std::vector<Origin> origins_;
  std::vector<TensorPlace> places_;
};

}  // namespace nibble
