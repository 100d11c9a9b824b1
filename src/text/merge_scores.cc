#include "text/merge_scores.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "text/unicode.h"

namespace nibble {
namespace {

constexpr uint32_t kNoRank = ~0u;

// Beyond any token of SentencePiece (its default limit is 16 characters); splitting a token at
// every place takes time that grows with its square.
constexpr size_t kMaxMergedBytes = 1024;

std::string shown(const Json& json) {
  constexpr size_t kShown = 120;
  return json.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, kShown);
}

class MergeTable {
 public:
  MergeTable(const JsonObject& model, Vocabulary& vocabulary)
      : file_(model.file_name()), vocabulary_(vocabulary), ranks_(vocabulary.size(), kNoRank) {
    for (uint32_t id = 0; id < vocabulary.size(); ++id) ids_.emplace(vocabulary.tokens[id], id);
    const Json& merges = model.require("merges");
    if (!merges.is_array()) {
      fail(ErrorCode::kInvalidFile, "{}: \"merges\": found {}, expected an array", file_,
           merges.type_name());
    }
    for (const Json& merge : merges) add(merge);
  }

  // Scores as SentencePiece gives them: merged tokens in the order of their merges, then the
  // others.
  void set_scores() {
    for (uint32_t id = 0; id < vocabulary_.size(); ++id) {
      if (vocabulary_.types[id] != TokenType::kNormal) continue;
      const uint32_t rank = ranks_[id] != kNoRank ? ranks_[id] : next_rank_++;
      vocabulary_.scores[id] = -static_cast<float>(rank);
    }
  }

  // Every pair of tokens that makes a token is a merge.
  void require_complete() const {
    for (uint32_t id = 0; id < vocabulary_.size(); ++id) {
      if (vocabulary_.types[id] == TokenType::kNormal) require_every_split(id);
    }
  }

 private:
  struct Pair {
    std::string_view left, right;
  };

  void add(const Json& merge) {
    const Pair pair = read_pair(merge);
    const auto left = ids_.find(pair.left);
    const auto right = ids_.find(pair.right);
    const std::string text = std::string(pair.left).append(pair.right);
    const auto made = ids_.find(text);
    if (left == ids_.end() || right == ids_.end() || made == ids_.end()) {
      fail(ErrorCode::kInvalidFile,
           "{}: \"merges\": {} takes or makes a token that \"vocab\" lacks", file_, shown(merge));
    }
    // SentencePiece makes nothing but normal tokens from text, whatever a file says.
    if (vocabulary_.types[made->second] != TokenType::kNormal) return;
    pairs_.insert(key(left->second, right->second));
    uint32_t& rank = ranks_[made->second];
    if (rank == kNoRank) {
      rank = next_rank_++;
    } else if (rank + 1 != next_rank_) {
      fail_not_sentencepiece(file_,
                             "the merges that make \"" + text + "\" do not follow each other");
    }
  }

  // "left right", or since 2024 ["left", "right"].
  Pair read_pair(const Json& merge) const {
    if (merge.is_string()) {
      const std::string_view text = merge.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space != text.npos && text.find(' ', space + 1) == text.npos) {
        return {text.substr(0, space), text.substr(space + 1)};
      }
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
    }
    fail(ErrorCode::kInvalidFile, "{}: \"merges\": found {}, expected \"left right\"", file_,
         shown(merge));
  }

  void require_every_split(uint32_t id) const {
    const std::string_view text = vocabulary_.tokens[id];
    if (text.size() > kMaxMergedBytes) {
      fail_not_sentencepiece(file_, fmt::format("token {} has {} bytes", id, text.size()));
    }
    for (size_t place = utf8_sequence(text); place < text.size();
         place += utf8_sequence(text.substr(place))) {
      const auto left = ids_.find(text.substr(0, place));
      const auto right = ids_.find(text.substr(place));
      if (left == ids_.end() || right == ids_.end()) continue;
      if (!is_normal(left->second) || !is_normal(right->second)) continue;
      if (pairs_.contains(key(left->second, right->second))) continue;
      fail_not_sentencepiece(file_,
                             fmt::format("\"merges\" lacks \"{} {}\" although these are tokens, "
                                         "and so is what they make",
                                         left->first, right->first));
    }
  }

  bool is_normal(uint32_t id) const { return vocabulary_.types[id] == TokenType::kNormal; }
  static uint64_t key(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }

  const std::string& file_;
  Vocabulary& vocabulary_;
  std::unordered_map<std::string_view, uint32_t> ids_;
  std::vector<uint32_t> ranks_;  // by the token that is made
  std::unordered_set<uint64_t> pairs_;
  uint32_t next_rank_ = 0;
};

}  // namespace

void fail_not_sentencepiece(const std::string& file, std::string_view found) {
  fail(ErrorCode::kUnsupported,
       "{}: {}; this version runs tokenizers of SentencePiece's BPE kind (type BPE with "
       "byte_fallback, spaces replaced by U+2581, no pre-tokenizer)",
       file, found);
}

void set_scores_from_merges(const JsonObject& model, Vocabulary& vocabulary) {
  MergeTable merges(model, vocabulary);
  merges.set_scores();
  merges.require_complete();
}

}  // namespace nibble
