#include "file/gguf_header.h"

#include <gtest/gtest.h>

#include <array>

#include "codec/formats.h"
#include "support/files.h"
#include "unit/file/raw_gguf.h"

namespace nibble {
namespace {

GgufHeader parse(const std::string& bytes) { return parse_gguf_header(bytes_of(bytes), "m.gguf"); }

template <class T>
T value_at(const Metadata& metadata, std::string_view key) {
  return std::get<T>(*metadata.find(key));
}

TEST(GgufHeader, ReadsKeysAndTensorsOfASmallFile) {
  const GgufHeader header = parse(small_gguf().build());
  EXPECT_EQ(header.version, 3u);
  EXPECT_EQ(header.metadata.origin(), "m.gguf");
  EXPECT_EQ(header.metadata.require_string("general.architecture"), "llama");
  EXPECT_EQ(header.metadata.require_uint("llama.block_count"), 1u);
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].name, "norm.weight");
  EXPECT_EQ(header.tensors[0].type, DType::kF32);
  EXPECT_EQ(header.tensors[0].shape, (Shape{{4, 2, 1, 1}, 2}));
  EXPECT_EQ(header.tensors[1].type, DType::kQ8_0);
  EXPECT_EQ(header.offsets[1], header.offsets[0] + 32);
  EXPECT_EQ(header.offsets[0] % 32, 0u);
}

TEST(GgufHeader, ReadsVersionTwo) {
  RawGguf raw = small_gguf();
  raw.version = 2;
  EXPECT_EQ(parse(raw.build()).version, 2u);
}

TEST(GgufHeader, ReadsEveryValueType) {
  RawGguf raw;
  raw.add_key("u8", kU8, number(uint8_t{200}));
  raw.add_key("i8", kI8, number(int8_t{-100}));
  raw.add_key("u16", kU16, number(uint16_t{60000}));
  raw.add_key("i16", kI16, number(int16_t{-30000}));
  raw.add_key("u32", kU32, number(uint32_t{4000000000}));
  raw.add_key("i32", kI32, number(int32_t{-2000000000}));
  raw.add_key("f32", kFloat, number(1.5f));
  raw.add_key("bool", kBool, number(true));
  raw.add_key("string", kString, text(std::string("a\0b", 3)));
  raw.add_key("u64", kU64, number(UINT64_MAX));
  raw.add_key("i64", kI64, number(INT64_MIN));
  raw.add_key("f64", kDouble, number(-0.1));
  const Metadata metadata = parse(raw.build()).metadata;
  EXPECT_EQ(value_at<uint8_t>(metadata, "u8"), 200);
  EXPECT_EQ(value_at<int8_t>(metadata, "i8"), -100);
  EXPECT_EQ(value_at<uint16_t>(metadata, "u16"), 60000);
  EXPECT_EQ(value_at<int16_t>(metadata, "i16"), -30000);
  EXPECT_EQ(value_at<uint32_t>(metadata, "u32"), 4000000000u);
  EXPECT_EQ(value_at<int32_t>(metadata, "i32"), -2000000000);
  EXPECT_EQ(value_at<float>(metadata, "f32"), 1.5f);
  EXPECT_EQ(value_at<bool>(metadata, "bool"), true);
  EXPECT_EQ(value_at<std::string>(metadata, "string"), std::string("a\0b", 3));
  EXPECT_EQ(value_at<uint64_t>(metadata, "u64"), UINT64_MAX);
  EXPECT_EQ(value_at<int64_t>(metadata, "i64"), INT64_MIN);
  EXPECT_EQ(value_at<double>(metadata, "f64"), -0.1);
}

TEST(GgufHeader, ReadsArraysOfEveryKind) {
  RawGguf raw;
  raw.add_array("scores", kFloat, 2, number(0.5f) + number(-2.0f));
  raw.add_array("flags", kBool, 3, std::string("\1\0\1", 3));
  raw.add_array("tokens", kString, 2, text("<s>") + text(""));
  raw.add_array("none", kI32, 0, "");
  const std::string inner = number(uint32_t{kU8}) + number(uint64_t{2}) + "\7\10";
  raw.add_array("nested", kArray, 2, inner + inner);
  const Metadata metadata = parse(raw.build()).metadata;
  EXPECT_EQ(*metadata.find_array<float>("scores"), (std::vector<float>{0.5f, -2.0f}));
  EXPECT_EQ(*metadata.find_array<bool>("flags"), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(*metadata.find_array<std::string>("tokens"), (std::vector<std::string>{"<s>", ""}));
  EXPECT_TRUE(metadata.find_array<int32_t>("none")->empty());
  const auto& nested = *metadata.find_array<MetadataArray>("nested");
  ASSERT_EQ(nested.size(), 2u);
  EXPECT_EQ(std::get<std::vector<uint8_t>>(nested[1].items), (std::vector<uint8_t>{7, 8}));
}

TEST(GgufHeader, HonoursTheAlignment) {
  RawGguf raw = small_gguf();
  raw.add_key("general.alignment", kU32, number(uint32_t{64}));
  raw.alignment = 64;
  raw.tensor("output.weight").offset = 64;
  raw.weights.resize(64 + 34);
  const GgufHeader header = parse(raw.build());
  EXPECT_EQ(header.offsets[0] % 64, 0u);
  EXPECT_EQ(header.offsets[1], header.offsets[0] + 64);
}

TEST(GgufHeader, MayHoldAVocabularyOnly) {
  RawGguf raw = small_gguf();
  raw.tensors.clear();
  EXPECT_TRUE(parse(raw.header()).tensors.empty()) << "without the padding, as converters write it";
}

TEST(GgufHeader, MayListTensorsInAnotherOrderThanTheyLie) {
  RawGguf raw = small_gguf();
  std::swap(raw.tensors[0], raw.tensors[1]);
  const GgufHeader header = parse(raw.build());
  EXPECT_EQ(header.offsets[0], header.offsets[1] + 32);
}

TEST(GgufHeader, RefusesEveryTruncation) {
  const std::string whole = small_gguf().build();
  constexpr size_t kPadding = 30;  // behind the last tensor: nothing is missing without it
  for (size_t size = 0; size < whole.size() - kPadding; ++size) {
    ASSERT_TRUE(
        fails_with(ErrorCode::kInvalidFile, {"m.gguf"}, [&] { parse(whole.substr(0, size)); }))
        << "cut to " << size << " bytes";
  }
  for (size_t size = whole.size() - kPadding; size <= whole.size(); ++size) {
    EXPECT_EQ(parse(whole.substr(0, size)).tensors.size(), 2u) << "cut to " << size << " bytes";
  }
}

TEST(GgufHeader, SurvivesEveryByteChanged) {
  const std::string whole = small_gguf().build();
  size_t refused = 0;
  for (size_t i = 0; i < whole.size() - 96; ++i) {
    for (const char value : {'\0', '\1', '\x7f', '\xff'}) {
      std::string changed = whole;
      changed[i] = value;
      try {
        parse(changed);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 300u);
}

TEST(GgufHeader, ReadsOrRefusesEverySeedOfItsFuzzer) {
  size_t read = 0;
  for (const auto& seed : fuzz_seeds("gguf")) {
    try {
      read += parse(read_file(seed)).version != 0 ? 1 : 0;
    } catch (const Error&) {  // an input that once crashed
    }
  }
  EXPECT_GE(read, 7u) << "the seeds of tests/fuzz/make_corpus.py are valid";
}

// A million keys or tensors must not take a million searches each.
TEST(GgufHeader, ReadsManyKeysAndFindsTheDuplicate) {
  RawGguf raw;
  for (int i = 0; i < 300000; ++i) raw.add_key("key." + std::to_string(i), kU8, "x");
  EXPECT_EQ(parse(raw.build()).metadata.entries().size(), 300000u);
  raw.add_key("key.12345", kU8, "x");
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, {"key.12345", "more than once"},
                         [&] { parse(raw.build()); }));
}

struct Corruption {
  std::string name;
  std::function<void(RawGguf&)> apply;
  std::vector<std::string> message;
  ErrorCode code = ErrorCode::kInvalidFile;
};

std::string nested_arrays(int depth) {
  std::string value;
  for (int i = 0; i < depth; ++i) value += number(uint32_t{kArray}) + number(uint64_t{1});
  return value + number(uint32_t{kU8}) + number(uint64_t{0});
}

class CorruptGguf : public testing::TestWithParam<Corruption> {};

TEST_P(CorruptGguf, IsRefusedWithANamedField) {
  RawGguf raw = small_gguf();
  GetParam().apply(raw);
  std::vector<std::string> message = GetParam().message;
  message.push_back("m.gguf: ");
  EXPECT_TRUE(fails_with(GetParam().code, message, [&] { parse(raw.build()); }));
}

const auto kCorruptions = std::to_array<Corruption>({
    {"WrongMagic", [](RawGguf& g) { g.magic = "GG\nF"; }, {"magic", "GG\\x0aF", "not a GGUF file"}},
    {"VersionOne",
     [](RawGguf& g) { g.version = 1; },
     {"version", "found GGUF version 1"},
     ErrorCode::kUnsupported},
    {"VersionFour",
     [](RawGguf& g) { g.version = 4; },
     {"version", "found GGUF version 4"},
     ErrorCode::kUnsupported},
    {"BigEndian",
     [](RawGguf& g) { g.version = 0x03000000; },
     {"version", "big-endian"},
     ErrorCode::kUnsupported},
    {"HugeTensorCount",
     [](RawGguf& g) { g.claimed_tensors = UINT64_MAX; },
     {"tensor count", "18446744073709551615"}},
    {"HugeKeyCount",
     [](RawGguf& g) { g.claimed_keys = uint64_t{1} << 60; },
     {"key count", "1152921504606846976"}},
    {"OneKeyTooMany", [](RawGguf& g) { g.claimed_keys = 4; }, {"m.gguf"}},
    {"HugeKeyLength",
     [](RawGguf& g) { g.keys[1] = number(UINT64_MAX) + g.keys[1]; },
     {"key 2 of 3", "found a string of 18446744073709551615 bytes"}},
    {"LongKey",
     [](RawGguf& g) { g.add_key(std::string(65536, 'k'), kU8, "x"); },
     {"key 4 of 4", "at most 65535"}},
    {"EmptyKey", [](RawGguf& g) { g.add_key("", kU8, "x"); }, {"key 4 of 4", "empty key"}},
    {"DuplicateKey",
     [](RawGguf& g) { g.add_key("llama.block_count", kU8, "x"); },
     {"llama.block_count", "more than once"}},
    {"HugeStringLength",
     [](RawGguf& g) { g.add_key("s", kString, number(INT64_MAX)); },
     {"m.gguf: s: ", "9223372036854775807 bytes expected"}},
    {"UnknownValueType",
     [](RawGguf& g) { g.add_key("s", 13, "x"); },
     {"m.gguf: s: ", "value type 13"}},
    {"UnknownItemType",
     [](RawGguf& g) { g.add_array("s", 99, 0, ""); },
     {"m.gguf: s: ", "value type 99"}},
    {"BoolOfTwo", [](RawGguf& g) { g.add_key("s", kBool, "\2"); }, {"m.gguf: s: ", "bool of 2"}},
    {"BoolItemOfTwo",
     [](RawGguf& g) { g.add_array("s", kBool, 2, "\1\2"); },
     {"m.gguf: s: ", "bool of 2"}},
    {"HugeArray",
     [](RawGguf& g) { g.add_array("s", kU8, uint64_t{1} << 62, ""); },
     {"m.gguf: s: ", "found a count of 4611686018427387904"}},
    {"ArrayWhoseBytesWrapAround",
     [](RawGguf& g) { g.add_array("s", kU64, (uint64_t{1} << 61) + 1, ""); },
     {"m.gguf: s: ", "found a count of 2305843009213693953"}},
    {"HugeStringArray",
     [](RawGguf& g) { g.add_array("s", kString, 1 << 20, ""); },
     {"m.gguf: s: ", "found a count of 1048576"}},
    {"DeeplyNestedArrays",
     [](RawGguf& g) { g.add_key("s", kArray, nested_arrays(9)); },
     {"m.gguf: s: ", "nested deeper than 8"}},
    {"AlignmentOfZero",
     [](RawGguf& g) { g.add_key("general.alignment", kU32, number(uint32_t{0})); },
     {"general.alignment", "found 0"}},
    {"AlignmentOfFour",
     [](RawGguf& g) { g.add_key("general.alignment", kU32, number(uint32_t{4})); },
     {"general.alignment", "found 4"}},
    {"AlignmentOfFortyEight",
     [](RawGguf& g) { g.add_key("general.alignment", kU32, number(uint32_t{48})); },
     {"general.alignment", "found 48", "power of two"}},
    {"HugeAlignment",
     [](RawGguf& g) { g.add_key("general.alignment", kU32, number(uint32_t{1} << 31)); },
     {"general.alignment", "found 2147483648"}},
    {"AlignmentAsText",
     [](RawGguf& g) { g.add_key("general.alignment", kString, text("32")); },
     {"general.alignment", "type string"}},
    {"EmptyName", [](RawGguf& g) { g.tensors[1].name = ""; }, {"tensor 2 of 2", "empty name"}},
    {"DuplicateName",
     [](RawGguf& g) { g.tensors[1].name = "norm.weight"; },
     {"tensor norm.weight", "more than once"}},
    {"RankZero",
     [](RawGguf& g) { g.tensors[1].dims = {}; },
     {"tensor output.weight", "found 0 dimensions"}},
    {"RankFive",
     [](RawGguf& g) {
       g.tensors[1].dims = {32, 1, 1, 1, 1};
     },
     {"tensor output.weight", "found 5 dimensions"}},
    {"HugeRank",
     [](RawGguf& g) { g.tensors[1].claimed_rank = UINT32_MAX; },
     {"tensor output.weight", "found 4294967295 dimensions"}},
    {"DimensionZero",
     [](RawGguf& g) {
       g.tensors[0].dims = {4, 0};
     },
     {"tensor norm.weight", "shape 4 x 0"}},
    {"CountWrapsAround",
     [](RawGguf& g) {
       g.tensors[0].dims = {uint64_t{1} << 32, uint64_t{1} << 32};
     },
     {"tensor norm.weight", "fits 63 bits"}},
    {"BytesWrapAround",
     [](RawGguf& g) { g.tensors[0].dims = {uint64_t{1} << 62}; },
     {"tensor norm.weight", "do not fit 63 bits"}},
    {"HugeDimension",
     [](RawGguf& g) { g.tensors[0].dims = {UINT64_MAX}; },
     {"tensor norm.weight", "18446744073709551615"}},
    {"UnknownTensorType",
     [](RawGguf& g) { g.tensors[1].type = 4000; },
     {"tensor output.weight", "tensor type 4000: this version cannot read it"},
     ErrorCode::kUnsupported},
    {"ColumnsNoMultipleOfTheBlock",
     [](RawGguf& g) { g.tensors[1].dims = {33}; },
     {"tensor output.weight", "found 33 columns, expected a multiple of 32 for q8_0"}},
    {"UnalignedOffset",
     [](RawGguf& g) { g.tensors[1].offset = 33; },
     {"tensor output.weight", "found offset 33"}},
    {"OffsetPastTheEnd",
     [](RawGguf& g) { g.tensors[1].offset = 96; },
     {"tensor output.weight", "past the file's end"}},
    {"OffsetWrapsAround",
     [](RawGguf& g) { g.tensors[1].offset = UINT64_MAX - 31; },
     {"tensor output.weight", "past the file's end"}},
    {"TensorPastTheEnd",
     [](RawGguf& g) { g.tensors[1].dims = {32, 2}; },
     {"tensor output.weight", "68 bytes"}},
    {"OverlappingTensors",
     [](RawGguf& g) { g.tensors[0].dims = {9}; },
     {"tensor output.weight", "overlap those of tensor norm.weight"}},
    {"SamePlace", [](RawGguf& g) { g.tensors[1].offset = 0; }, {"overlap"}},
});

INSTANTIATE_TEST_SUITE_P(Gguf, CorruptGguf, testing::ValuesIn(kCorruptions),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace nibble
