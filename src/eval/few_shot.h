// Few-shot examples, chosen as lm-evaluation-harness chooses them, so that prompts are the same to
// the letter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "eval/task_item.h"

namespace nibble {

// Python's random.Random(seed) for a seed below 2^32, as far as sample() needs it: MT19937, seeded
// by the array of the one word (Matsumoto and Nishimura, mt19937ar.c, 2002).
class PythonRandom {
 public:
  explicit PythonRandom(uint32_t seed);

  // random.sample(range(count), chosen), chosen <= count.
  std::vector<size_t> sample(size_t count, size_t chosen);

 private:
  size_t below(size_t limit);

  std::mt19937 engine_;
};

enum class ShotOrder {
  kSampled,  // drawn anew for every item, the harness's default
  kFirst,    // the first ones, its "first_n"
};

// What an example shows: a question with its (first) right answer, or where the choices are
// contexts the right one with what follows it.
const std::string& shown_question(const ChoiceItem& example);
const std::string& shown_answer(const ChoiceItem& example);
std::string shown_example(const ChoiceItem& example);  // both as text, and an empty line

// Chooses the examples of one item after the other.
class FewShot {
 public:
  // `pool` must outlive the object. `is_own_file`: it is where the items come from, and none is an
  // example for itself.
  FewShot(std::span<const ChoiceItem> pool, bool is_own_file, size_t shots, ShotOrder order);

  // Of the pool. Error kUsage when it has too few.
  std::vector<const ChoiceItem*> examples(const ChoiceItem& item);

  // The opening of an item and its examples.
  std::string prompt(const ChoiceItem& item);

 private:
  static constexpr uint32_t kSeed = 1234;  // lm_eval's --seed, its fourth number

  std::span<const ChoiceItem> pool_;
  bool is_own_file_;
  size_t shots_;
  ShotOrder order_;
  PythonRandom random_{kSeed};
};

}  // namespace nibble
