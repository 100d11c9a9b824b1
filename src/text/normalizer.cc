#include "text/normalizer.h"

#include <memory>
#include <utility>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/characters.h"
#include "text/precompiled_map.h"

namespace nibble {
namespace {

std::string replace_literal(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  result.reserve(text.size() + text.size() / 4);
  for (size_t place; (place = text.find(from)) != text.npos;
       text.remove_prefix(place + from.size())) {
    result.append(text.substr(0, place)).append(to);
  }
  return result.append(text);
}

std::string replace_pattern(std::string_view text, const Regex& pattern, std::string_view to,
                            Regex::Scratch& scratch) {
  std::string result;
  size_t done = 0;
  size_t from = 0;
  for (Regex::Match match{}; from <= text.size() && pattern.find(text, from, scratch, match);) {
    result.append(text.substr(done, match.begin - done)).append(to);
    done = match.end;
    from = match.end;
    if (match.end > match.begin) continue;
    do {  // an empty match: the next may come after a character
      ++from;
    } while (from < text.size() && (static_cast<uint8_t>(text[from]) & 0xc0) == 0x80);
  }
  return result.append(text.substr(std::min(done, text.size())));
}

template <class Keep>
std::string filter(std::string_view text, const Keep& keeps) {
  std::string result;
  result.reserve(text.size());
  for_each_character(text, [&](char32_t c) {
    if (keeps(c)) append_character(c, result);
  });
  return result;
}

std::string lowercase(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for_each_character(text, [&](char32_t c) { append_lowercase(c, result); });
  return result;
}

std::string strip(std::string_view text, bool left, bool right) {
  size_t size = 0;
  while (left && !text.empty() && is_whitespace(first_character(text, size)))
    text.remove_prefix(size);
  while (right && !text.empty() && is_whitespace(last_character(text, size)))
    text.remove_suffix(size);
  return std::string(text);
}

// BERT: control characters go, every white space becomes a space.
std::string clean(std::string_view text) {
  std::string result;
  for_each_character(text, [&](char32_t c) {
    const bool is_space = is_whitespace(c);
    if (c == 0 || c == 0xfffd || (is_control(c) && c != '\t' && c != '\n' && c != '\r')) return;
    is_space ? result += ' ' : (append_character(c, result), result);
  });
  return result;
}

std::string set_chinese_apart(std::string_view text) {
  std::string result;
  for_each_character(text, [&](char32_t c) {
    const bool apart = is_chinese(c);
    if (apart) result += ' ';
    append_character(c, result);
    if (apart) result += ' ';
  });
  return result;
}

// Source: SentencePiece's normalization rule "nmt" (nmt_nfkc without NFKC).
std::string nmt(std::string_view text) {
  std::string result;
  for_each_character(text, [&](char32_t c) {
    if ((c >= 0x1 && c <= 0x8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f || c == 0x8f ||
        c == 0x9f)
      return;
    const bool is_space = c == 0x9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 ||
                          (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 ||
                          c == 0x2581 || c == 0xfeff || c == 0xfffd;
    is_space ? result += ' ' : (append_character(c, result), result);
  });
  return result;
}

std::optional<NormalForm> normal_form_of(std::string_view type) {
  if (type == "NFC") return NormalForm::kNfc;
  if (type == "NFD") return NormalForm::kNfd;
  if (type == "NFKC") return NormalForm::kNfkc;
  if (type == "NFKD") return NormalForm::kNfkd;
  return std::nullopt;
}

}  // namespace

Normalizer::Normalizer(const Json& description, const std::string& origin) {
  if (!description.is_null()) add(description, origin);
}

void Normalizer::add(const Json& description, const std::string& origin) {
  const JsonObject object(description, origin + ": normalizer");
  const std::string type = object.require_string("type");
  constexpr size_t kMaxSteps = 64;
  if (steps_.size() > kMaxSteps)
    fail(ErrorCode::kUnsupported, "{}: too many steps", object.file_name());
  if (type == "Sequence") {
    for (const Json& step : object.require("normalizers")) add(step, origin);
  } else if (const auto form = normal_form_of(type)) {
    steps_.emplace_back(
        [form = *form](std::string text, Regex::Scratch&) { return normal_form(text, form); });
  } else if (type == "Replace") {
    add_replace(object);
  } else if (type == "Prepend") {
    steps_.emplace_back([prefix = object.require_string("prepend")](
                            std::string text, Regex::Scratch&) { return prefix + text; });
  } else if (type == "Lowercase") {
    steps_.emplace_back([](std::string text, Regex::Scratch&) { return lowercase(text); });
  } else if (type == "Strip") {
    steps_.emplace_back(
        [left = object.find_bool("strip_left").value_or(true),
         right = object.find_bool("strip_right").value_or(true)](
            std::string text, Regex::Scratch&) { return strip(text, left, right); });
  } else if (type == "StripAccents") {
    steps_.emplace_back([](std::string text, Regex::Scratch&) {
      return filter(text, [](char32_t c) { return !is_mark(c); });
    });
  } else if (type == "Nmt") {
    steps_.emplace_back([](std::string text, Regex::Scratch&) { return nmt(text); });
  } else if (type == "BertNormalizer") {
    add_bert(object);
  } else if (type == "Precompiled") {
    add_precompiled(object);
  } else if (type == "ByteLevel") {
    is_byte_level_ = true;
    steps_.emplace_back([](std::string text, Regex::Scratch&) { return letters_of_bytes(text); });
  } else {
    fail(
        ErrorCode::kUnsupported,
        "{}: type \"{}\" is not known; known are Sequence, NFC, NFD, NFKC, NFKD, Replace, Prepend, "
        "Lowercase, Strip, StripAccents, Nmt, BertNormalizer, Precompiled and ByteLevel",
        object.file_name(), type);
  }
}

void Normalizer::add_replace(const JsonObject& replace) {
  const JsonObject pattern(replace.require("pattern"), replace.file_name() + ": pattern");
  std::string content = replace.require_string("content");
  if (const auto regex = pattern.find_string("Regex")) {
    auto compiled = std::make_shared<const Regex>(*regex, pattern.file_name());
    steps_.emplace_back([compiled, content](std::string text, Regex::Scratch& scratch) {
      return replace_pattern(text, *compiled, content, scratch);
    });
    return;
  }
  std::string literal = pattern.require_string("String");
  if (literal.empty()) return;
  steps_.emplace_back([literal, content](std::string text, Regex::Scratch&) {
    return replace_literal(text, literal, content);
  });
}

void Normalizer::add_precompiled(const JsonObject& precompiled) {
  const auto bytes = bytes_of_base64(precompiled.require_string("precompiled_charsmap"));
  if (!bytes) {
    fail(ErrorCode::kInvalidFile, "{}: precompiled_charsmap: found no Base64",
         precompiled.file_name());
  }
  auto map = std::make_shared<const PrecompiledMap>(*bytes, precompiled.file_name());
  steps_.emplace_back([map](std::string text, Regex::Scratch&) { return map->apply(text); });
}

void Normalizer::add_bert(const JsonObject& bert) {
  const bool lower = bert.find_bool("lowercase").value_or(true);
  const auto add_step = [&](auto function) {
    steps_.emplace_back([function](std::string text, Regex::Scratch&) { return function(text); });
  };
  if (bert.find_bool("clean_text").value_or(true)) add_step(clean);
  if (bert.find_bool("handle_chinese_chars").value_or(true)) add_step(set_chinese_apart);
  if (bert.find_bool("strip_accents").value_or(lower)) {
    add_step([](std::string_view text) {
      return filter(normal_form(text, NormalForm::kNfd),
                    [](char32_t c) { return !is_nonspacing_mark(c); });
    });
  }
  if (lower) add_step(lowercase);
}

std::string Normalizer::apply(std::string_view text, Regex::Scratch& scratch) const {
  std::string result(text);
  for (const Step& step : steps_) result = step(std::move(result), scratch);
  return result;
}

}  // namespace nibble
