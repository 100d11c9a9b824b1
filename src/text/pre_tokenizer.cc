#include "text/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer_tables.h"

namespace nibble {
namespace {

// GPT-2's own pattern, which ByteLevel splits by.
constexpr std::string_view kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// \w of the regex crate, which has the joiners too.
constexpr std::string_view kWords = R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}]+|)"
                                    R"([^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}\s]+)";

std::string punctuation_pattern() {
  std::string pattern = "[";
  for (const CharacterRange& range : kPunctuation)
    pattern += fmt::format("\\x{{{:x}}}-\\x{{{:x}}}", uint32_t{range.first}, uint32_t{range.last});
  return pattern + "]";
}

constexpr std::pair<std::string_view, SplitBehavior> kBehaviors[] = {
    {"Removed", SplitBehavior::kRemoved},
    {"Isolated", SplitBehavior::kIsolated},
    {"Contiguous", SplitBehavior::kContiguous},
    {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
    {"MergedWithNext", SplitBehavior::kMergedWithNext}};

SplitBehavior behavior_of(const JsonObject& split, std::string_view standard) {
  const std::string name = split.find_string("behavior").value_or(std::string(standard));
  for (const auto& [known, behavior] : kBehaviors) {
    if (known == name) return behavior;
  }
  fail(ErrorCode::kUnsupported,
       "{}: behavior \"{}\" is not known; known are Removed, Isolated, Contiguous, "
       "MergedWithPrevious and MergedWithNext",
       split.file_name(), name);
}

// A literal text as a pattern.
std::string literal(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view(R"(\^$.[]|()?*+{}#-)").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

std::string pattern_of(const JsonObject& split) {
  const JsonObject pattern(split.require("pattern"), split.file_name() + ": pattern");
  if (const auto regex = pattern.find_string("Regex")) return *regex;
  return literal(pattern.require_string("String"));
}

std::string_view join(std::string_view left, std::string_view right) {
  return {left.data(), left.size() + right.size()};
}

// Matches and gaps of one text in order, put together as a behavior says.
class Collector {
 public:
  Collector(SplitBehavior behavior, bool invert, std::vector<std::string_view>& pieces)
      : behavior_(behavior), invert_(invert), pieces_(pieces), first_(pieces.size()) {}

  void add(std::string_view part, bool is_match) {
    is_match = is_match != invert_;
    const bool has_piece = pieces_.size() > first_;
    switch (behavior_) {
      case SplitBehavior::kRemoved:
        if (!is_match) push(part);
        break;
      case SplitBehavior::kIsolated:
        push(part);
        break;
      case SplitBehavior::kContiguous:
        has_piece&& is_match == was_match_ ? extend(part) : push(part);
        break;
      case SplitBehavior::kMergedWithPrevious:
        has_piece&& is_match && !was_match_ ? extend(part) : push(part);
        break;
      case SplitBehavior::kMergedWithNext:
        has_piece&& was_match_ && !is_match ? extend(part) : push(part);
        break;
    }
    was_match_ = is_match;
  }

 private:
  void push(std::string_view part) { pieces_.push_back(part); }
  void extend(std::string_view part) { pieces_.back() = join(pieces_.back(), part); }

  SplitBehavior behavior_;
  bool invert_;
  std::vector<std::string_view>& pieces_;
  size_t first_;
  bool was_match_ = false;
};

size_t character_end(std::string_view text, size_t place) {
  do {
    ++place;
  } while (place < text.size() && (static_cast<uint8_t>(text[place]) & 0xc0) == 0x80);
  return place;
}

void split_text(const Regex& pattern, std::string_view text, Regex::Scratch& scratch,
                Collector& collector) {
  size_t done = 0;
  size_t from = 0;
  for (Regex::Match match{}; from <= text.size() && pattern.find(text, from, scratch, match);) {
    if (match.begin > done) collector.add(text.substr(done, match.begin - done), false);
    collector.add(text.substr(match.begin, match.end - match.begin), true);
    done = match.end;
    from = match.end > match.begin ? match.end : character_end(text, match.end);
  }
  if (done < text.size()) collector.add(text.substr(done), false);
}

}  // namespace

PreTokenizer::PreTokenizer(const Json& description, const std::string& origin) {
  if (!description.is_null()) add(description, origin);
}

void PreTokenizer::add(const Json& description, const std::string& origin) {
  const JsonObject object(description, origin + ": pre_tokenizer");
  const std::string& file = object.file_name();
  const std::string type = object.require_string("type");
  constexpr size_t kMaxSteps = 64;
  if (steps_.size() > kMaxSteps) fail(ErrorCode::kUnsupported, "{}: too many steps", file);
  if (type == "Sequence") {
    for (const Json& step : object.require("pretokenizers")) add(step, origin);
  } else if (type == "Split") {
    add_split(object);
  } else if (type == "ByteLevel") {
    add_byte_level(object);
  } else if (type == "Metaspace") {
    add_metaspace(object);
  } else if (type == "Digits") {
    const bool single = object.find_bool("individual_digits").value_or(false);
    add_pattern(R"(\p{N})", file, single ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
  } else if (type == "Punctuation") {
    add_pattern(punctuation_pattern(), file, behavior_of(object, "Isolated"));
  } else if (type == "Whitespace") {
    add_pattern(kWords, file, SplitBehavior::kRemoved, true);
  } else if (type == "WhitespaceSplit") {
    add_pattern(R"(\s)", file, SplitBehavior::kRemoved);
  } else if (type == "BertPreTokenizer") {
    add_pattern(R"(\s)", file, SplitBehavior::kRemoved);
    add_pattern(punctuation_pattern(), file, SplitBehavior::kIsolated);
  } else if (type == "CharDelimiterSplit") {
    add_pattern(literal(object.require_string("delimiter")), file, SplitBehavior::kRemoved);
  } else if (type == "FixedLength") {
    const uint64_t length = object.find_uint("length").value_or(5);
    add_pattern(fmt::format("(?m:.){{1,{}}}", std::clamp<uint64_t>(length, 1, 1000)), file,
                SplitBehavior::kIsolated);
  } else {
    fail(ErrorCode::kUnsupported,
         "{}: type \"{}\" is not known; known are Sequence, Split, ByteLevel, Metaspace, Digits, "
         "Punctuation, Whitespace, WhitespaceSplit, BertPreTokenizer, CharDelimiterSplit and "
         "FixedLength",
         file, type);
  }
}

void PreTokenizer::add_pattern(std::string_view pattern, const std::string& origin,
                               SplitBehavior behavior, bool invert) {
  Step step{.kind = Kind::kSplit, .behavior = behavior, .invert = invert};
  step.pattern.emplace(pattern, origin);
  steps_.push_back(std::move(step));
}

void PreTokenizer::add_split(const JsonObject& split) {
  add_pattern(pattern_of(split), split.file_name(), behavior_of(split, "Isolated"),
              split.find_bool("invert").value_or(false));
}

void PreTokenizer::add_metaspace(const JsonObject& metaspace) {
  Step step{.kind = Kind::kMetaspace};
  step.replacement = metaspace.find_string("replacement").value_or("\u2581");
  const bool prefix = metaspace.find_bool("add_prefix_space").value_or(true);
  const std::string scheme =
      metaspace.find_string("prepend_scheme").value_or(prefix ? "always" : "never");
  if (scheme == "always") step.prepend = Prepend::kAlways;
  if (scheme == "first") step.prepend = Prepend::kFirst;
  const std::string cut = literal(step.replacement);
  steps_.push_back(std::move(step));
  if (!metaspace.find_bool("split").value_or(true)) return;
  add_pattern(cut, metaspace.file_name(), SplitBehavior::kMergedWithNext);
}

void PreTokenizer::add_byte_level(const JsonObject& byte_level) {
  if (std::exchange(is_byte_level_, true)) {
    fail(ErrorCode::kUnsupported, "{}: ByteLevel stands there twice", byte_level.file_name());
  }
  if (byte_level.find_bool("add_prefix_space").value_or(true)) {
    steps_.push_back({.kind = Kind::kPrefixSpace});
  }
  if (byte_level.find_bool("use_regex").value_or(true)) {
    add_pattern(kByteLevelPattern, byte_level.file_name(), SplitBehavior::kIsolated);
  }
  steps_.push_back({.kind = Kind::kLetters});
}

const std::vector<std::string_view>& PreTokenizer::split(std::string_view text, bool is_first,
                                                         Scratch& scratch) const {
  scratch.pieces.clear();
  if (!text.empty()) scratch.pieces.push_back(text);
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    // As the last step the letters would only be turned back into bytes.
    if (step.kind == Kind::kLetters && i + 1 == steps_.size()) return scratch.pieces;
    step.kind == Kind::kSplit ? apply_split(step, scratch) : apply_rewrite(step, is_first, scratch);
  }
  if (is_byte_level_) finish(scratch);
  return scratch.pieces;
}

void PreTokenizer::apply_split(const Step& step, Scratch& scratch) const {
  scratch.next.clear();
  for (const std::string_view piece : scratch.pieces) {
    Collector collector(step.behavior, step.invert, scratch.next);
    split_text(*step.pattern, piece, scratch.regex, collector);
  }
  std::erase_if(scratch.next, [](std::string_view piece) { return piece.empty(); });
  std::swap(scratch.pieces, scratch.next);
}

// Steps that change the text write all pieces anew, one after the other.
void PreTokenizer::apply_rewrite(const Step& step, bool is_first, Scratch& scratch) const {
  std::string& out = scratch.next_text;
  out.clear();
  scratch.ends.clear();
  for (size_t i = 0; i < scratch.pieces.size(); ++i) {
    const std::string_view piece = scratch.pieces[i];
    if (step.kind == Kind::kLetters) {
      for (const char byte : piece) out += letter_of_byte(static_cast<uint8_t>(byte));
    } else if (step.kind == Kind::kPrefixSpace) {
      if (!piece.starts_with(' ')) out += ' ';
      out += piece;
    } else {
      const bool prepends = step.prepend == Prepend::kAlways ||
                            (step.prepend == Prepend::kFirst && is_first && i == 0);
      if (prepends && !piece.starts_with(' ') && !piece.starts_with(step.replacement))
        out += step.replacement;
      for (const char c : piece) {
        c == ' ' ? out += step.replacement : out += c;
      }
    }
    scratch.ends.push_back(out.size());
  }
  std::swap(scratch.text, scratch.next_text);
  const std::string_view text = scratch.text;
  for (size_t i = 0; i < scratch.pieces.size(); ++i) {
    const size_t begin = i == 0 ? 0 : scratch.ends[i - 1];
    scratch.pieces[i] = text.substr(begin, scratch.ends[i] - begin);
  }
}

// Letters of bytes to the bytes themselves: what the model takes.
void PreTokenizer::finish(Scratch& scratch) const {
  std::string& out = scratch.next_text;
  out.clear();
  scratch.ends.clear();
  for (const std::string_view piece : scratch.pieces) {
    out += bytes_of_letters(piece).value_or("");
    scratch.ends.push_back(out.size());
  }
  std::swap(scratch.text, scratch.next_text);
  const std::string_view text = scratch.text;
  for (size_t i = 0; i < scratch.pieces.size(); ++i) {
    const size_t begin = i == 0 ? 0 : scratch.ends[i - 1];
    scratch.pieces[i] = text.substr(begin, scratch.ends[i] - begin);
  }
}

}  // namespace nibble
