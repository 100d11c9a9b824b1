#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <pcre2.h>

#include <array>
#include <utility>

#include "base/error.h"
#include "text/oniguruma.h"

namespace nibble {
namespace {

// Far above what any tokenizer in use needs for one match, and some milliseconds of work.
constexpr uint32_t kMatchLimit = 4'000'000;
constexpr uint32_t kDepthLimit = 100'000;
constexpr uint32_t kHeapLimitKib = 32 * 1024;
constexpr size_t kJitStackBytes = size_t{4} << 20;
constexpr size_t kMaxPatternBytes = size_t{1} << 16;

std::string message_of(int error) {
  std::array<PCRE2_UCHAR8, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

PCRE2_SPTR8 bytes_of(std::string_view text) { return reinterpret_cast<PCRE2_SPTR8>(text.data()); }

}  // namespace

struct Regex::Code {
  std::string origin;
  std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code;
};

struct Regex::Scratch::Data {
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match{
      pcre2_match_data_create(1, nullptr), &pcre2_match_data_free};
  std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context{
      pcre2_match_context_create(nullptr), &pcre2_match_context_free};
  std::unique_ptr<pcre2_jit_stack, decltype(&pcre2_jit_stack_free)> stack{
      pcre2_jit_stack_create(32 * 1024, kJitStackBytes, nullptr), &pcre2_jit_stack_free};
};

Regex::Scratch::Scratch() : data_(std::make_unique<Data>()) {
  if (!data_->match || !data_->context || !data_->stack) throw std::bad_alloc();
  pcre2_set_match_limit(data_->context.get(), kMatchLimit);
  pcre2_set_depth_limit(data_->context.get(), kDepthLimit);
  pcre2_set_heap_limit(data_->context.get(), kHeapLimitKib);
  pcre2_jit_stack_assign(data_->context.get(), nullptr, data_->stack.get());
}
Regex::Scratch::~Scratch() = default;
Regex::Scratch::Scratch(Scratch&&) noexcept = default;
Regex::Scratch& Regex::Scratch::operator=(Scratch&&) noexcept = default;

Regex::Regex(std::string_view pattern, std::string origin) {
  if (pattern.size() > kMaxPatternBytes) {
    fail(ErrorCode::kInvalidFile, "{}: a pattern of {} bytes, expected at most {}", origin,
         pattern.size(), kMaxPatternBytes);
  }
  const std::string translated = pcre2_pattern(pattern, origin);
  int error = 0;
  size_t place = 0;
  // Oniguruma's $ and ^ match at every line.
  constexpr uint32_t kOptions =
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE;
  pcre2_code* code =
      pcre2_compile(bytes_of(translated), translated.size(), kOptions, &error, &place, nullptr);
  if (code == nullptr) {
    fail(ErrorCode::kInvalidFile, "{}: the pattern \"{}\" is none: {} (at byte {} of \"{}\")",
         origin, pattern, message_of(error), place, translated);
  }
  code_.reset(new Code{std::move(origin), {code, &pcre2_code_free}});
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without it the interpreter runs, slower
}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::find(std::string_view text, size_t start, Scratch& scratch, Match& match) const {
  Scratch::Data& data = *scratch.data_;
  const int found = pcre2_match(code_->code.get(), bytes_of(text), text.size(), start,
                                PCRE2_NO_UTF_CHECK, data.match.get(), data.context.get());
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0) {
    fail(ErrorCode::kInvalidFile, "{}: the pattern gives up on a text of {} bytes: {}",
         code_->origin, text.size(), message_of(found));
  }
  const PCRE2_SIZE* places = pcre2_get_ovector_pointer(data.match.get());
  match = {places[0], places[1]};
  return true;
}

}  // namespace nibble
