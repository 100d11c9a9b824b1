// The probabilities of texts that come in groups with the same beginning, as the choices of one
// question do. What the texts of a group begin with is read once, and so is what all groups in work
// begin with (examples); then all texts go on together, the weights read once for all of them. Of a
// group's texts that differ in their last token only, one is read.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "eval/scored_text.h"
#include "infer/sequences.h"

namespace nibble {

class SharedPrefixScorer {
 public:
  // `longest`: the most tokens of a text. `most_texts`: of a group. The references must outlive the
  // object.
  SharedPrefixScorer(const ModelConfig& config, const Weights& weights, ThreadPool& pool,
                     int64_t longest, int64_t most_texts, KvTypes kv_types);

  // For each text of each group the sum of the natural logarithms of its scored tokens'
  // probabilities, at offsets as in the spans. `on_group` is called with the number of groups done;
  // what it throws passes through. Which groups are in work together changes no bit of a sum, under
  // the conditions of Forward::run. Error kInvalidFile when the model computes what is no number.
  std::vector<std::vector<double>> score(std::span<const std::vector<ScoredText>> groups,
                                         const std::function<void(int64_t)>& on_group);

  int64_t read_tokens() const { return read_tokens_; }  // so far, by the model

 private:
  // A text whose probability is asked, and where it goes.
  struct Asked {
    const ScoredText* text;
    double* sum;
  };
  // Tokens that a sequence reads next. After the last `wanted` of them, of which the first of all
  // is the text's token `begin`, the texts asked for are looked at.
  struct Piece {
    int64_t sequence;
    std::span<const uint32_t> tokens;
    size_t begin = 0;
    size_t wanted = 0;
    std::vector<Asked> asked = {};
  };
  struct Cut {
    const Piece* piece;
    size_t begin, end, wanted;
  };

  size_t groups_that_fit(std::span<const std::vector<ScoredText>> groups) const;
  void score_together(std::span<const std::vector<ScoredText>> groups,
                      std::span<std::vector<double>> sums);
  size_t read_common_beginning(std::span<const std::vector<ScoredText>> groups);
  static void add_endings(const std::vector<ScoredText>& group, std::vector<double>& sums,
                          int64_t sequence, std::vector<Piece>& endings);
  void read(std::span<const Piece> pieces);
  void feed(std::span<const Cut> batch);
  void add_row(const Piece& piece, size_t position, std::span<const float> row) const;

  static constexpr int64_t kStem = 0;  // the sequence that keeps what all groups begin with

  int64_t vocab_size_;
  Sequences sequences_;
  std::vector<uint32_t> stem_;
  int64_t read_tokens_ = 0;
};

}  // namespace nibble
