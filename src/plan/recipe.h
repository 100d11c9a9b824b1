// Recipe: which type each tensor of a model gets, as text that users write themselves. The last
// matching line wins.
//
//   file_type 15                             # GGUF's general.file_type
//   all                          q4_k
//   output                       q6_k        # the token embedding, too, where it serves as output
//   attn_v   where more_bits     q6_k
//   attn_q,attn_k where gqa > 4  q5_k
//   blk.0.*                      q8_0        # a glob on names
//
//   line       SELECTOR[,SELECTOR]... [where CONDITION [and CONDITION]...] TYPE
//   SELECTOR   all, a name such as attn_q (the N of blk.N and suffixes _exps are ignored), or a
//              glob: it has a . or *
//   CONDITION  FLAG | no FLAG | NUMBER OP VALUE | arch == NAME | arch != NAME
//   FLAG       more_bits, importance, ragged
//   NUMBER     layer, n_layer, n_expert, gqa (query heads per key-value head)
//   OP         == != < <= > >=
//   VALUE      an integer, n_layer/INTEGER or INTEGER*n_layer/INTEGER (rounded down)
//
// more_bits is llama.cpp's choice of layers: the first and the last eighth, and every third of
// those between. importance: there is an importance matrix. ragged: the tensor's columns are no
// multiple of 256, so that most blocks do not divide its rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/dtype.h"

namespace nibble {

// What conditions ask about the model.
struct RecipeContext {
  std::string arch;
  uint64_t n_layer = 0;
  uint64_t n_expert = 0;
  uint64_t gqa = 1;
  bool has_output = true;  // else the token embedding is the output
  bool importance = false;
};

class Recipe {
 public:
  // Error kInvalidFile for a line that cannot be read or a recipe without an `all` line, naming
  // recipe and line.
  static Recipe parse(std::string_view text, const std::string& name);

  DType type_for(std::string_view tensor_name, uint64_t columns,
                 const RecipeContext& context) const;
  DType base_type() const { return base_type_; }  // of the last unconditional `all`
  std::optional<uint32_t> file_type() const { return file_type_; }
  // A sentence for each selector that matches none of the tensors.
  std::vector<std::string> unmatched_lines(const std::vector<std::string_view>& tensor_names,
                                           const RecipeContext& context) const;

 private:
  enum class Variable { kMoreBits, kImportance, kRagged, kArch, kLayer, kNLayer, kNExpert, kGqa };
  enum class Operator { kEqual, kNotEqual, kLess, kAtMost, kMore, kAtLeast };
  struct Condition {
    Variable variable;
    bool negated = false;            // flags only
    Operator op = Operator::kEqual;  // of the others
    std::string arch;                // right side of kArch
    uint64_t number = 0;             // right side of the others,
    uint64_t divisor = 0;            // or, unless 0, number * n_layer / divisor
  };
  struct Tensor {
    std::optional<uint64_t> layer;
    uint64_t columns;
  };
  struct Selector {
    std::string text;
    bool is_glob;
  };
  struct Line {
    std::vector<Selector> selectors;
    std::vector<Condition> conditions;
    DType type;
    int number;  // in the text, from 1
  };
  class Parser;

  static bool compare(uint64_t left, Operator op, uint64_t right);
  static bool selects(const Selector& selector, std::string_view name,
                      const RecipeContext& context);
  static bool holds(const Condition& condition, const Tensor& tensor, const RecipeContext& context);

  std::string name_;
  std::vector<Line> lines_;
  DType base_type_{};
  std::optional<uint32_t> file_type_;
};

}  // namespace nibble
