#include "text/conformance.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "text/chat_template.h"

namespace nibble {
namespace {

constexpr uint32_t kVersion = 1;
constexpr const char* kVersionKey = "nibble.conformance.version";
constexpr const char* kTextsKey = "nibble.conformance.texts";
constexpr const char* kCountsKey = "nibble.conformance.counts";
constexpr const char* kIdsKey = "nibble.conformance.ids";
constexpr const char* kChatsKey = "nibble.conformance.chats";
constexpr const char* kPromptsKey = "nibble.conformance.prompts";
constexpr const char* kKeys[] = {kVersionKey, kTextsKey, kCountsKey,
                                 kIdsKey,     kChatsKey, kPromptsKey};

// Where tokenizers differ: spaces at every place, line breaks, digits, contractions, letters beside
// marks, scripts without spaces, normal forms, emoji, what looks like special tokens. The most
// telling first: a vocabulary that spells them in many tokens leaves the last ones out.
constexpr std::string_view kTexts[] = {
    "",
    " ",
    "Hello, world!",
    "hello  world   again",
    " leading and trailing ",
    "\n",
    "line\nbreak\n\nand\r\nmore\n",
    "\tif (x != 0) {\n\t\treturn  a[i]++;\n\t}",
    "I'm sure they'LL say we've DON'T",
    "1 23 456 7890 3.14159 1,000,000",
    "na\u00efve caf\u00e9",
    "e\u0301 \u1e9b\u0323",         // combining marks
    "\ufb01 \u00bd \u2460 \uff21",  // what NFKC changes
    "\u6f22\u5b57\u304b\u306a\u30ab\u30bf",
    "</s><|im_end|><bos>[INST]",
    "CamelCaseXML snake_case __init__",
    "\u041f\u0440\u0438\u0432\u0435\u0442",
    "\U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "\u0645\u0631\u062d\u0628\u0627 \u0663\u0664",
    "\u0928\u092e\u0938\u094d\u0924\u0947",
    "\ud55c\uad6d\uc5b4",
    "a\u00a0b\u2003c\u200bd",
    "don\u2019t \u201cquote\u201d \u2014 dash\u2026",
    "https://example.org/a?b=c&d=%20",
    "....----====!!??",
    "\u0e44\u0e17\u0e22 \u05e9\u05dc\u05d5\u05dd",
    "\u0130\u0131\u00df \u00c4\u00d6\u00dc",
    "\x01\x7f",
    "\u2581 \u0120 ##",  // what vocabularies write for spaces
    "x\n\n\n   y",
};

// One question; told something before; with an answer between; spaces that templates may trim.
constexpr std::string_view kChats[] = {
    R"({"messages":[{"role":"user","content":"Hi"}],"add_generation_prompt":true})",
    R"({"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],)"
    R"("add_generation_prompt":true})",
    R"({"messages":[{"role":"user","content":" a\n"},{"role":"assistant","content":" b\n"},)"
    R"({"role":"user","content":"c"}],"add_generation_prompt":true})",
    R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yes."}],)"
    R"("add_generation_prompt":false})",
};

constexpr size_t kTextBytes = 2400;     // of the vectors of texts
constexpr size_t kKeyBytes = 6 * 52;    // names, types and counts
constexpr size_t kLongestPrompt = 320;  // longer ones are kept as digests
constexpr std::string_view kDigest = "sha256:";

// As Transformers encodes a text that it is called with.
constexpr EncodeOptions kAsHuggingFace = {.add_special = true, .parse_special = true};

// What a file of another may have us check.
constexpr size_t kMostTexts = 256, kMostChats = 16, kMostBytes = size_t{1} << 16;
constexpr uint64_t kMostSteps = 500'000;  // of a template, for each chat

// Templates that print the date print this one, whatever the time zone.
std::chrono::system_clock::time_point fixed_time() {
  std::tm noon{};
  noon.tm_year = 124, noon.tm_mday = 2, noon.tm_hour = 12;  // January 2, 2024
  noon.tm_isdst = -1;
  return std::chrono::system_clock::from_time_t(std::mktime(&noon));
}

std::optional<ChatTemplate> template_of(const Tokenizer& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  if (vocabulary.chat_template.empty()) return std::nullopt;
  const auto text = [&](const std::optional<uint32_t>& id) {
    return id ? tokenizer.piece(*id) : std::string();
  };
  jinja::Limits limits;
  limits.steps = kMostSteps;
  return ChatTemplate(
      vocabulary.chat_template, "chat template",
      {text(vocabulary.bos), text(vocabulary.eos), text(vocabulary.unk), text(vocabulary.pad)},
      limits);
}

// For a message: as JSON writes it, so that spaces can be told apart, and not all of what is long.
std::string shown(std::string_view text) {
  constexpr size_t kMost = 120;
  std::string first(text.substr(0, kMost));
  if (text.size() > kMost) first += "...";
  return Json(first).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string render(const ChatTemplate& chat_template, const std::string& text) {
  const auto json = ChatTemplate::Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("messages")) {
    fail(ErrorCode::kInvalidFile, "{}: found {}, expected an object with \"messages\"", kChatsKey,
         shown(text));
  }
  ChatTemplate::Input input;
  input.messages = json["messages"];
  input.add_generation_prompt = json.value("add_generation_prompt", true);
  input.now = fixed_time();
  return chat_template.render(input);
}

bool is_long(std::string_view prompt) { return prompt.size() > kLongestPrompt; }

std::string digest_of(std::string_view prompt) {
  return std::string(kDigest) + hex(sha256(bytes_of(prompt)));
}

bool is_same(std::string_view prompt, std::string_view expected) {
  return prompt == expected || (is_long(prompt) && digest_of(prompt) == expected);
}

// Of a string in a GGUF.
size_t stored_bytes(std::string_view text) { return sizeof(uint64_t) + text.size(); }

std::vector<ConformanceVectors::Chat> make_chats(const Tokenizer& tokenizer, size_t room) {
  std::vector<ConformanceVectors::Chat> chats;
  std::optional<ChatTemplate> chat_template;
  try {
    chat_template = template_of(tokenizer);
  } catch (const Error&) {  // then it never made anything
  }
  for (const std::string_view input : kChats) {
    if (!chat_template) break;
    try {
      ConformanceVectors::Chat chat = {std::string(input), {}};
      chat.prompt = render(*chat_template, chat.input);
      if (is_long(chat.prompt)) chat.prompt = digest_of(chat.prompt);
      const size_t bytes = stored_bytes(chat.input) + stored_bytes(chat.prompt);
      if (bytes > room) continue;
      room -= bytes;
      chats.push_back(std::move(chat));
    } catch (const Error&) {  // refused: many know no system's messages
    }
  }
  return chats;
}

template <class T>
const std::vector<T>& array_of(const Metadata& metadata, const char* key) {
  static const std::vector<T> kNone;
  const auto* items = metadata.find_array<T>(key);
  return items == nullptr ? kNone : *items;
}

void check_amount(const Metadata& metadata, const std::vector<std::string>& list, const char* key,
                  size_t most) {
  size_t bytes = 0;
  for (const std::string& text : list) bytes += text.size();
  if (list.size() <= most && bytes <= kMostBytes) return;
  fail(ErrorCode::kInvalidFile, "{}: {}: found {} texts of {} bytes, expected at most {} of {}",
       metadata.origin(), key, list.size(), bytes, most, kMostBytes);
}

void read_texts(const Metadata& metadata, ConformanceVectors& vectors) {
  const auto& texts = array_of<std::string>(metadata, kTextsKey);
  const auto& counts = array_of<uint32_t>(metadata, kCountsKey);
  const auto& ids = array_of<uint32_t>(metadata, kIdsKey);
  check_amount(metadata, texts, kTextsKey, kMostTexts);
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  if (counts.size() != texts.size() || total != ids.size()) {
    fail(ErrorCode::kInvalidFile,
         "{}: {}: found {} counts, {} in all, for {} texts and {} ids; convert the model again",
         metadata.origin(), kCountsKey, counts.size(), total, texts.size(), ids.size());
  }
  auto id = ids.begin();
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto end = id + static_cast<ptrdiff_t>(counts[i]);
    vectors.texts.push_back({texts[i], {id, end}});
    id = end;
  }
}

void read_chats(const Metadata& metadata, ConformanceVectors& vectors) {
  const auto& chats = array_of<std::string>(metadata, kChatsKey);
  const auto& prompts = array_of<std::string>(metadata, kPromptsKey);
  check_amount(metadata, chats, kChatsKey, kMostChats);
  check_amount(metadata, prompts, kPromptsKey, kMostChats);
  if (chats.size() != prompts.size()) {
    fail(ErrorCode::kInvalidFile, "{}: {}: found {} prompts for {} chats; convert the model again",
         metadata.origin(), kPromptsKey, prompts.size(), chats.size());
  }
  for (size_t i = 0; i < chats.size(); ++i) vectors.chats.push_back({chats[i], prompts[i]});
}

std::string shown(const std::vector<uint32_t>& ids) {
  constexpr size_t kMost = 16;
  const std::vector<uint32_t> first(
      ids.begin(), ids.begin() + static_cast<ptrdiff_t>(std::min(kMost, ids.size())));
  return fmt::format("[{}{}]", fmt::join(first, " "), ids.size() > kMost ? " ..." : "");
}

std::optional<std::string> problem_of_texts(const ConformanceVectors& vectors,
                                            const Tokenizer& tokenizer) {
  size_t count = 0;
  std::string first;
  for (const auto& [text, expected] : vectors.texts) {
    const auto ids = tokenizer.encode(text, kAsHuggingFace);
    if (ids == expected) continue;
    if (count++ == 0)
      first = fmt::format("{} is {}, not {}", shown(text), shown(ids), shown(expected));
  }
  if (count == 0) return std::nullopt;
  return fmt::format(
      "its tokenizer makes other tokens of {} of {} texts than its source's did, first: {}; what "
      "the model answers may be worse than it could be: convert it again from its original",
      count, vectors.texts.size(), first);
}

// What the template makes of one, or why it makes nothing.
std::string prompt_or_error(const std::optional<ChatTemplate>& chat_template,
                            const std::string& input) {
  if (!chat_template) return "";
  try {
    return render(*chat_template, input);
  } catch (const Error& error) {
    return error.what();
  }
}

std::optional<std::string> problem_of_chats(const ConformanceVectors& vectors,
                                            const Tokenizer& tokenizer) {
  if (vectors.chats.empty()) return std::nullopt;
  const auto chat_template = template_of(tokenizer);
  size_t count = 0;
  std::string first;
  for (const auto& [input, expected] : vectors.chats) {
    const std::string prompt = prompt_or_error(chat_template, input);
    if (is_same(prompt, expected)) continue;
    if (count++ == 0)
      first = fmt::format("{} is {}, not {}", shown(input), shown(prompt), shown(expected));
  }
  if (count == 0) return std::nullopt;
  return fmt::format(
      "its chat template makes other prompts of {} of {} chats than its source's did, first: {}; "
      "if it was not changed on purpose, convert the model again from its original",
      count, vectors.chats.size(), first);
}

}  // namespace

ConformanceVectors make_conformance(const Tokenizer& tokenizer) {
  ConformanceVectors vectors;
  size_t bytes = 0;
  for (const std::string_view text : kTexts) {
    const auto ids = tokenizer.encode(text, kAsHuggingFace);
    const size_t more = stored_bytes(text) + (1 + ids.size()) * sizeof(uint32_t);
    if (bytes + more > kTextBytes) continue;
    bytes += more;
    vectors.texts.push_back({std::string(text), ids});
  }
  vectors.chats = make_chats(tokenizer, kConformanceBytes - kKeyBytes - bytes);
  return vectors;
}

void add_conformance(const ConformanceVectors& vectors, Metadata& metadata) {
  erase_conformance(metadata);
  if (vectors.empty()) return;
  std::vector<std::string> texts, chats, prompts;
  std::vector<uint32_t> counts, ids;
  for (const auto& [text, of_text] : vectors.texts) {
    texts.push_back(text);
    counts.push_back(static_cast<uint32_t>(of_text.size()));
    ids.insert(ids.end(), of_text.begin(), of_text.end());
  }
  for (const auto& [input, prompt] : vectors.chats) {
    chats.push_back(input);
    prompts.push_back(prompt);
  }
  metadata.set(kVersionKey, kVersion);
  metadata.set(kTextsKey, MetadataArray{std::move(texts)});
  metadata.set(kCountsKey, MetadataArray{std::move(counts)});
  metadata.set(kIdsKey, MetadataArray{std::move(ids)});
  if (chats.empty()) return;
  metadata.set(kChatsKey, MetadataArray{std::move(chats)});
  metadata.set(kPromptsKey, MetadataArray{std::move(prompts)});
}

void erase_conformance(Metadata& metadata) {
  for (const char* key : kKeys) metadata.erase(key);
}

Metadata conformance_keys(const Metadata& metadata) {
  Metadata keys;
  keys.set_origin(metadata.origin());
  for (const char* key : kKeys) {
    if (const MetadataValue* value = metadata.find(key)) keys.set(key, *value);
  }
  return keys;
}

ConformanceVectors conformance_from_metadata(const Metadata& metadata) {
  ConformanceVectors vectors;
  if (metadata.find_uint(kVersionKey).value_or(0) != kVersion) return vectors;
  read_texts(metadata, vectors);
  read_chats(metadata, vectors);
  return vectors;
}

std::vector<std::string> conformance_problems(const ConformanceVectors& vectors,
                                              const Tokenizer& tokenizer) {
  std::vector<std::string> problems;
  if (auto problem = problem_of_texts(vectors, tokenizer)) problems.push_back(*std::move(problem));
  if (auto problem = problem_of_chats(vectors, tokenizer)) problems.push_back(*std::move(problem));
  return problems;
}

std::vector<std::string> conformance_problems(const Metadata& metadata,
                                              const Tokenizer& tokenizer) {
  try {
    return conformance_problems(conformance_from_metadata(metadata), tokenizer);
  } catch (const Error& error) {
    return {fmt::format("its conformance vectors could not be checked: {}", error.what())};
  }
}

}  // namespace nibble
