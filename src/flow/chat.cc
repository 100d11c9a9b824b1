#include "nibble/chat.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/error.h"
#include "eval/scored_text.h"
#include "flow/end_tokens.h"
#include "flow/kv_type.h"
#include "flow/model.h"
#include "flow/model_chat.h"
#include "flow/run_support.h"
#include "flow/sampling.h"
#include "infer/session.h"
#include "text/stream_decoder.h"

namespace nibble {
namespace {

constexpr int64_t kDefaultContext = 8192;

int64_t context_of(const Model::Parts& parts, const GenerateOptions& options) {
  if (options.context < 0 || options.max_tokens < 1) {
    fail(ErrorCode::kUsage, "a context of {} and answers of {} tokens are not possible",
         options.context, options.max_tokens);
  }
  return options.context > 0 ? options.context
                             : std::min<int64_t>(parts.config.context_length, kDefaultContext);
}

KvTypes kv_types_of(const Model::Parts& parts, const GenerateOptions& options) {
  const KvTypes types = kv_types_from_name(options.kv_type);
  check_kv_types(parts.config, types, parts.path.string());
  return types;
}

std::string_view without_spaces_around(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin);
}

}  // namespace

struct Chat::Parts {
  Parts(const Model& loaded, ChatOptions wanted)
      : model(loaded.parts()),
        options(std::move(wanted)),
        chat_template(chat_template_of(model, options.chat_template)),
        ends(end_tokens_of(model.tokenizer->vocabulary())),
        session(model.config, *model.weights, *model.pool, context_of(model, options.generate),
                kv_types_of(model, options.generate)) {
    Sampler{sampler_options(options.generate)};  // or options out of range would be found late
  }

  std::vector<uint32_t> prompt_from(size_t first) const;
  std::vector<uint32_t> fitting_prompt(ChatAnswer& answer) const;
  std::span<const float> read(const std::vector<uint32_t>& prompt, ChatAnswer& answer);
  void generate(std::span<const float> logits, const std::vector<uint32_t>& prompt,
                const std::function<void(std::string_view)>& on_text, ChatAnswer& answer);
  ChatAnswer reply(const std::function<void(std::string_view)>& on_text);

  const Model::Parts& model;
  ChatOptions options;
  ChatTemplate chat_template;
  std::vector<uint32_t> ends;
  Session session;
  std::vector<uint32_t> read_tokens;  // what the cache holds
  std::vector<ChatMessage> messages;
  uint64_t answers = 0;  // each draws other random numbers
};

// The conversation from a message on, and what an answer begins with.
std::vector<uint32_t> Chat::Parts::prompt_from(size_t first) const {
  ChatTemplate::Input input;
  if (!options.system.empty())
    input.messages.push_back({{"role", "system"}, {"content", options.system}});
  for (const ChatMessage& message : std::span(messages).subspan(first))
    input.messages.push_back({{"role", message.role}, {"content", message.text}});
  return encode_with_control(*model.tokenizer, chat_template.render(input));
}

// Leaves out the oldest question and answer until there is room for an answer, too.
std::vector<uint32_t> Chat::Parts::fitting_prompt(ChatAnswer& answer) const {
  const int64_t room = std::min<int64_t>(options.generate.max_tokens, session.context() / 4);
  for (size_t first = 0;; first += 2) {
    std::vector<uint32_t> prompt = prompt_from(first);
    const auto size = static_cast<int64_t>(prompt.size());
    answer.forgotten = static_cast<int64_t>(first);
    if (size + room <= session.context()) return prompt;
    if (first + 2 < messages.size()) continue;
    if (size < session.context()) return prompt;
    fail(ErrorCode::kUsage,
         "the message makes a prompt of {} tokens, which leaves no room in a context of {}; "
         "shorten it or raise --context",
         size, session.context());
  }
}

std::span<const float> Chat::Parts::read(const std::vector<uint32_t>& prompt, ChatAnswer& answer) {
  const auto [old, fresh] = std::ranges::mismatch(read_tokens, prompt);
  auto reused = std::min<size_t>(static_cast<size_t>(fresh - prompt.begin()), prompt.size() - 1);
  reused = std::min(reused, static_cast<size_t>(session.position()));
  session.rewind(static_cast<int64_t>(reused));
  read_tokens.assign(prompt.begin(), prompt.begin() + static_cast<ptrdiff_t>(reused));
  answer.prompt_tokens = static_cast<int64_t>(prompt.size());
  answer.reused_tokens = static_cast<int64_t>(reused);
  const Stopwatch watch;
  const auto logits = session.feed(std::span(prompt).subspan(reused));
  read_tokens = prompt;
  answer.prompt_seconds = watch.seconds();
  return logits;
}

void Chat::Parts::generate(std::span<const float> logits, const std::vector<uint32_t>& prompt,
                           const std::function<void(std::string_view)>& on_text,
                           ChatAnswer& answer) {
  SamplerOptions sampling = sampler_options(options.generate);
  sampling.seed += answers++;
  Sampler sampler(sampling);
  for (const uint32_t token : prompt) sampler.accept(token);
  StreamDecoder decoder(*model.tokenizer, {.is_start = false});
  const auto emit = [&](const std::string& text) {
    answer.text += text;
    if (on_text && !text.empty()) on_text(text);
  };
  const Stopwatch watch;
  answer.stop = "length";
  while (answer.answer_tokens < options.generate.max_tokens) {
    if (options.generate.cancelled != nullptr && options.generate.cancelled->load()) {
      answer.stop = "cancelled";
      break;
    }
    const uint32_t token = sampler.sample(logits);
    if (!options.generate.ignore_eos && std::ranges::find(ends, token) != ends.end()) {
      answer.stop = "end";
      break;
    }
    sampler.accept(token);
    ++answer.answer_tokens;
    emit(decoder.next(token));
    if (session.position() == session.context()) break;
    logits = session.feed(std::array{token});
    read_tokens.push_back(token);
  }
  emit(decoder.finish());
  answer.answer_seconds = watch.seconds();
}

ChatAnswer Chat::Parts::reply(const std::function<void(std::string_view)>& on_text) {
  ChatAnswer answer;
  const std::vector<uint32_t> prompt = fitting_prompt(answer);
  generate(read(prompt, answer), prompt, on_text, answer);
  messages.push_back({"assistant", std::string(without_spaces_around(answer.text))});
  return answer;
}

Chat::Chat(const Model& model, ChatOptions options)
    : parts_(std::make_unique<Parts>(model, std::move(options))) {}
Chat::~Chat() = default;
Chat::Chat(Chat&&) noexcept = default;
Chat& Chat::operator=(Chat&&) noexcept = default;

ChatAnswer Chat::say(std::string_view text, const std::function<void(std::string_view)>& on_text) {
  parts_->messages.push_back({"user", std::string(text)});
  try {
    return parts_->reply(on_text);
  } catch (...) {
    parts_->messages.pop_back();
    throw;
  }
}

ChatAnswer Chat::regenerate(const std::function<void(std::string_view)>& on_text) {
  auto& messages = parts_->messages;
  if (messages.empty()) fail(ErrorCode::kUsage, "there is no answer yet to give anew");
  const ChatMessage last = messages.back();
  messages.pop_back();
  try {
    return parts_->reply(on_text);
  } catch (...) {
    messages.push_back(last);
    throw;
  }
}

void Chat::clear() { parts_->messages.clear(); }
void Chat::set_system(std::string text) { parts_->options.system = std::move(text); }
const std::vector<ChatMessage>& Chat::messages() const { return parts_->messages; }

}  // namespace nibble
