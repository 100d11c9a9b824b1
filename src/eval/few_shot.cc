#include "eval/few_shot.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "base/error.h"

namespace nibble {
namespace {

// Fills the state of std::mt19937 as mt19937ar.c's init_by_array does with one word.
class OneWordSeed {
 public:
  using result_type = uint32_t;
  explicit OneWordSeed(uint32_t word) : word_(word) {}

  template <class Iterator>
  void generate(Iterator begin, Iterator end) const {
    std::array<uint32_t, std::mt19937::state_size> state;
    state[0] = 19650218;
    for (uint32_t i = 1; i < state.size(); ++i) state[i] = mixed(state[i - 1]) * 1812433253u + i;
    size_t i = 1;
    const auto advance = [&] {
      if (++i < state.size()) return;
      state[0] = state.back();
      i = 1;
    };
    for (size_t n = 0; n < state.size(); ++n, advance())
      state[i] = (state[i] ^ mixed(state[i - 1]) * 1664525u) + word_;
    for (size_t n = 1; n < state.size(); ++n, advance())
      state[i] = (state[i] ^ mixed(state[i - 1]) * 1566083941u) - static_cast<uint32_t>(i);
    state[0] = 0x80000000u;
    std::copy_n(state.begin(), end - begin, begin);
  }

 private:
  static uint32_t mixed(uint32_t x) { return x ^ (x >> 30); }

  uint32_t word_;
};

std::mt19937 engine_from(uint32_t seed) {
  OneWordSeed state(seed);
  return std::mt19937(state);
}

// From how many on Python's sample() draws without a copy of the population.
size_t largest_copied(size_t chosen) {
  size_t limit = 21;
  if (chosen > 5) {
    size_t power = 1;
    while (power < 3 * chosen) power *= 4;
    limit += power;
  }
  return limit;
}

}  // namespace

const std::string& shown_question(const ChoiceItem& example) {
  return example.ending.empty() ? example.context : example.choices[example.right.front()];
}

const std::string& shown_answer(const ChoiceItem& example) {
  return example.ending.empty() ? example.choices[example.right.front()] : example.ending;
}

std::string shown_example(const ChoiceItem& example) {
  return shown_question(example) + example.delimiter + shown_answer(example) + "\n\n";
}

PythonRandom::PythonRandom(uint32_t seed) : engine_(engine_from(seed)) {}

size_t PythonRandom::below(size_t limit) {
  const int bits = std::bit_width(limit);
  while (true) {
    const size_t drawn = engine_() >> (32 - bits);
    if (drawn < limit) return drawn;
  }
}

std::vector<size_t> PythonRandom::sample(size_t count, size_t chosen) {
  std::vector<size_t> result;
  if (count > largest_copied(chosen)) {
    while (result.size() < chosen) {
      const size_t drawn = below(count);
      if (std::ranges::find(result, drawn) == result.end()) result.push_back(drawn);
    }
    return result;
  }
  std::vector<size_t> left(count);
  std::iota(left.begin(), left.end(), size_t{0});
  for (; result.size() < chosen; left.pop_back()) {
    const size_t drawn = below(left.size());
    result.push_back(left[drawn]);
    left[drawn] = left.back();
  }
  return result;
}

FewShot::FewShot(std::span<const ChoiceItem> pool, bool is_own_file, size_t shots, ShotOrder order)
    : pool_(pool), is_own_file_(is_own_file), shots_(shots), order_(order) {}

std::vector<const ChoiceItem*> FewShot::examples(const ChoiceItem& item) {
  if (shots_ == 0) return {};
  std::vector<const ChoiceItem*> candidates;
  for (const ChoiceItem& candidate : pool_) {
    if (candidate.subject == item.subject) candidates.push_back(&candidate);
  }
  const auto is_item = [&](const ChoiceItem* other) { return is_own_file_ && *other == item; };
  const size_t drawn = is_own_file_ ? shots_ + 1 : shots_;
  if (candidates.size() < drawn) {
    fail(ErrorCode::kUsage, "{} examples are asked for, but there are {} for item {}{}{}", shots_,
         candidates.size() - (is_own_file_ && !candidates.empty() ? 1 : 0), item.id,
         item.subject.empty() ? "" : " on ", item.subject);
  }
  if (order_ == ShotOrder::kSampled) {
    std::vector<const ChoiceItem*> sampled;
    for (const size_t i : random_.sample(candidates.size(), drawn))
      sampled.push_back(candidates[i]);
    candidates = std::move(sampled);
  }
  std::erase_if(candidates, is_item);
  candidates.resize(std::min(candidates.size(), shots_));
  return candidates;
}

std::string FewShot::prompt(const ChoiceItem& item) {
  std::string text = item.opening;
  for (const ChoiceItem* example : examples(item)) text += shown_example(*example);
  return text;
}

}  // namespace nibble
