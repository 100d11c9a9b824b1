// The patterns as the models' own tokenizer.json have them, the names as llama.cpp has them
// (src/llama-vocab.cpp). Where llama.cpp runs a simpler pattern (its engine lacks (?i: and classes
// such as \p{Lu}), the original is kept: it is what the models were trained on.
#include "text/pre_names.h"

#include <algorithm>

namespace nibble {
namespace {

constexpr std::string_view kGpt2Names[] = {
    "gpt-2",      "phi-2",        "jina-es",         "jina-de",     "jina-v1-en", "jina-v2-es",
    "jina-v2-de", "jina-v2-code", "gigachat",        "roberta-bpe", "mpt",        "olmo",
    "jais",       "trillion",     "granite-docling", "a.x-4.0",     "mellum",     "exaone4"};
constexpr std::string_view kGpt2[] = {
    R"~('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kLlama3Names[] = {"llama-bpe", "llama3",  "llama-v3", "falcon3",
                                             "falcon-h1", "pixtral", "midm-2.0", "lfm2"};
constexpr std::string_view kLlama3[] = {
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p)~"
    R"~({N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kGlm4Names[] = {"chatglm-bpe", "glm4", "dbrx", "smaug-bpe"};
constexpr std::string_view kGlm4[] = {
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p)~"
    R"~({N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kQwen2Names[] = {
    "qwen2", "deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez", "grok-2", "kormo", "solar-open"};
constexpr std::string_view kQwen2[] = {
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+)~"
    R"~([\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kQwen35Names[] = {"qwen35"};
constexpr std::string_view kQwen35[] = {
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L})~"
    R"~(\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kSmollmNames[] = {"smollm",    "starcoder", "refact",     "command-r",
                                             "codeshell", "exaone",    "minerva-7b", "mellum2"};
constexpr std::string_view kSmollm[] = {
    R"~(\p{N})~",
    R"~('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kGpt4oNames[] = {"gpt-4o", "llama4", "minimax-m2"};
constexpr std::string_view kGpt4o[] = {
    R"~([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?)~"
    R"~(i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)~"
    R"~([\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L})~"
    R"~(\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kTekkenNames[] = {"tekken"};
constexpr std::string_view kTekken[] = {
    R"~([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[)~"
    R"~(^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p)~"
    R"~({N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kDeepseekV3Names[] = {"deepseek-v3", "hunyuan-dense", "joyai-llm"};
constexpr std::string_view kDeepseekV3[] = {
    R"~(\p{N}{1,3})~", R"~([一-龥぀-ゟ゠-ヿ]+)~",
    R"~([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\)~"
    R"~(p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kDeepseekLlmNames[] = {"deepseek-llm"};
constexpr std::string_view kDeepseekLlm[] = {
    R"~([\r\n])~",
    R"~(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-)~"
    R"~(ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\x{1f7d}ᾀ-ᾴᾶ-ᾼ\x{1fbe}ῂ-ῄῆ-ῌῐ-\x{1fd3}ῖ-\x{1fdb}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\x{2126}ℨ\x{212a}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉ)~"
    R"~(ⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)~",
    R"~(\s?[!-/:-~！-／：-～‘-‟　-。]+)~",
    R"~(\s+$)~",
    R"~([一-龥ࠀ-一가-퟿]+)~",
    R"~(\p{N}+)~"};

constexpr std::string_view kDeepseekCoderNames[] = {"deepseek-coder"};
constexpr std::string_view kDeepseekCoder[] = {R"~([\r\n])~", R"~(\s?\p{L}+)~", R"~(\s?\p{P}+)~",
                                               R"~([一-龥ࠀ-一가-퟿]+)~", R"~(\p{N})~"};

constexpr std::string_view kFalconNames[] = {"falcon"};
constexpr std::string_view kFalcon[] = {
    R"~([\p{P}$+<=>^~|`]+)~",
    R"~('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)~",
    R"~([0-9][0-9][0-9])~"};

constexpr std::string_view kBloomNames[] = {"bloom", "poro-chat", "gpt3-finnish"};
constexpr std::string_view kBloom[] = {R"~( ?[^(\s|.,!?…。，、।۔،)]+)~"};

constexpr std::string_view kVikingNames[] = {"viking"};
constexpr std::string_view kViking[] = {R"~( ?[^(\s|.,!?…。，、।۔،)]+)~", R"~(\p{N})~"};

constexpr std::string_view kSuperbpeNames[] = {"superbpe"};
constexpr std::string_view kSuperbpe[] = {R"~(\p{N}+)~", R"~((?=(\d{3})+(?!\d)))~"};

constexpr std::string_view kBailingNames[] = {"bailingmoe", "bailingmoe2", "llada-moe"};
constexpr std::string_view kBailing[] = {
    R"~('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n)~"
    R"~(]*|\s*[\r\n]|\s+(?!\S)|\s+)~"};

constexpr std::string_view kSeedCoderNames[] = {"seed-coder"};
constexpr std::string_view kSeedCoder[] = {
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N)~"
    R"~(}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kExaoneMoeNames[] = {"exaone-moe"};
constexpr std::string_view kExaoneMoe[] = {
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)~"
    R"~()+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)~"};

constexpr std::string_view kKimiK2Names[] = {"kimi-k2"};
constexpr std::string_view kKimiK2[] = {
    R"~([\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{L)~"
    R"~(l}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N)~"
    R"~(}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{)~"
    R"~(Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[)~"
    R"~(\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kChameleonNames[] = {"chameleon"};
constexpr std::string_view kChameleon[] = {
    R"~(<sentinel:[0-9]+>)~",
    R"~((IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z)~",
    R"~(([\t\n]|    |  ))~",
    R"~(\p{N})~",
    R"~([\p{P}!-/:-@\[-`{-~])~",
    R"~('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kYoutuNames[] = {"youtu"};
constexpr std::string_view kYoutu[] = {
    R"~([가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+)~",
    R"~([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?)~"
    R"~(i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)~"
    R"~([\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N})~"
    R"~(]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kMinicpm5Names[] = {"minicpm5"};
constexpr std::string_view kMinicpm5[] = {
    R"~(\p{N}{1,3})~",
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}])~"
    R"~(+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~"};

constexpr std::string_view kDefaultNames[] = {"default"};
constexpr std::string_view kDefault[] = {
    R"~([\p{P}$+<=>^~|]+)~",
    R"~('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)~",
    R"~(\p{N}+)~", R"~([0-9][0-9][0-9])~"};

constexpr PreRow kRows[] = {
    {kGpt2Names, kGpt2},
    {kLlama3Names, kLlama3, true, true},
    {kGlm4Names, kGlm4},
    {kQwen2Names, kQwen2},
    {kQwen35Names, kQwen35},
    {kSmollmNames, kSmollm},
    {kGpt4oNames, kGpt4o},
    {kTekkenNames, kTekken, true, true},
    {kDeepseekV3Names, kDeepseekV3},
    {kDeepseekLlmNames, kDeepseekLlm},
    {kDeepseekCoderNames, kDeepseekCoder},
    {kFalconNames, kFalcon},
    {kBloomNames, kBloom},
    {kVikingNames, kViking},
    {kSuperbpeNames, kSuperbpe},
    {kBailingNames, kBailing},
    {kSeedCoderNames, kSeedCoder},
    {kExaoneMoeNames, kExaoneMoe},
    {kKimiK2Names, kKimiK2},
    {kChameleonNames, kChameleon, false, true},
    {kYoutuNames, kYoutu, true, false},
    {kMinicpm5Names, kMinicpm5},
    {kDefaultNames, kDefault},
};

// Texts that tell all rows apart: digits in runs, contractions, white space of all kinds, scripts
// with and without case, marks, punctuation and symbols, beside each other.
constexpr std::string_view kProbes[] = {
    "1 12 123 1234 12345 123456 1234567 a1b22c333d4444 ١٢٣٤ ²³ ½ Ⅷ 3.14159 1,234,567",
    "I'm you're he'll they've it's can't she'd I'M YOU'RE IT'S x'y 'quoted' ''s",
    "  two   three    four\t\ttabs \n\n\nlines\r\n \n  \u00a0\u3000 end  ",
    "CamelCaseWords HTTPServer iPhone ÉcoleNormale ǅenan ÀÉÎ éàü ßẞ ꜲꜳǼǽ",
    "नमस्ते दुनिया ภาษาไทย עִבְרִית العَرَبِيَّة e\u0301a\u0308 ⃝ \u0301x",
    "漢字とカタカナひらがな 한국어 中文，标点。「引用」 ㄅㄆㄇ 々〆 ﾊﾝｶｸ 𠮷",
    "Привет, мир! Γειά σου Κόσμε Հայերեն ქართული Ꭰ ⰰ",
    "if (x != y) { return a[i]->b::c; } // <tag/> #define $var @name ^~| `tick` \\ /path/to/",
    "...!?;: --- ___ *** +++ === <<>> ~~ || && %% $$ €£¥ ©®™ ≤≥≠ ←→ ¡¿ «» “” ‘’ — … \n/\n",
    "😀👍🏽👨\u200d👩\u200d👧 🇩🇪 ❤\ufe0f \u200b\u200c\ufeff \u0007\u001b",
    "word\nword \n word  \n\n  word. \n.\n!\r\n?/\n a.b .b !c (d) \"e\" x.y z,w #h",
    "IMGIMGABCZ <sentinel:12>      \t \n x    y",
    "a b c dé f g\u0301 h 1 2 i",
};

bool cuts_alike(const PreTokenizer& one, const PreTokenizer& other) {
  PreTokenizer::Scratch scratch, other_scratch;
  return std::ranges::all_of(kProbes, [&](std::string_view text) {
    return one.split(text, true, scratch) == other.split(text, true, other_scratch);
  });
}

}  // namespace

const PreRow* find_pre_row(std::string_view name) {
  for (const PreRow& row : kRows) {
    if (std::ranges::find(row.names, name) != row.names.end()) return &row;
  }
  return nullptr;
}

Json pre_tokenizer_of_row(const PreRow& row) {
  Json steps = Json::array();
  for (const std::string_view pattern : row.patterns) {
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", pattern}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  }
  steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}});
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

std::optional<std::string> name_of_pre_tokenizer(const PreTokenizer& pre_tokenizer,
                                                 bool ignores_merges) {
  for (const PreRow& row : kRows) {
    if (row.ignores_merges != ignores_merges) continue;
    if (cuts_alike(pre_tokenizer, PreTokenizer(pre_tokenizer_of_row(row), "pre-tokenizers")))
      return std::string(row.names.front());
  }
  return std::nullopt;
}

std::string known_pre_names() {
  std::string names;
  for (const PreRow& row : kRows) {
    for (const std::string_view name : row.names) {
      if (!names.empty()) names += ", ";
      names += name;
    }
  }
  return names;
}

}  // namespace nibble
