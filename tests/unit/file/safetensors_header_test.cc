#include "file/safetensors_header.h"

#include <gtest/gtest.h>

#include <array>

#include "codec/formats.h"
#include "support/files.h"
#include "unit/file/raw_safetensors.h"

namespace nibble {
namespace {

SafetensorsHeader parse(const std::string& bytes) {
  return parse_safetensors_header(bytes_of(bytes), "m.safetensors");
}

TEST(SafetensorsHeader, ReadsASmallFile) {
  const SafetensorsHeader header = parse(small_safetensors().build());
  EXPECT_EQ(header.metadata.at("format"), "pt");
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].name, "up.weight");
  EXPECT_EQ(header.tensors[0].type, DType::kF32);
  EXPECT_EQ(header.tensors[0].shape, (Shape{{3, 2, 1, 1}, 2})) << "columns first";
  EXPECT_EQ(header.tensors[1].type, DType::kF16);
  EXPECT_EQ(header.offsets[1], header.offsets[0] + 24);
  EXPECT_TRUE(header.unsupported.empty());
}

TEST(SafetensorsHeader, OrdersTensorsByTheirBytes) {
  RawSafetensors raw = small_safetensors();
  std::swap(raw.fields[1], raw.fields[2]);
  EXPECT_EQ(parse(raw.build()).tensors[0].name, "up.weight");
}

TEST(SafetensorsHeader, MakesAScalarOneColumn) {
  RawSafetensors raw;
  raw.add("scale", "BF16", "[]", "[0,2]");
  raw.weights = "ab";
  EXPECT_EQ(parse(raw.build()).tensors.at(0).shape, (Shape{{1, 1, 1, 1}, 1}));
}

TEST(SafetensorsHeader, MayHoldNothing) {
  EXPECT_TRUE(parse(RawSafetensors().build()).tensors.empty());
}

TEST(SafetensorsHeader, KeepsAsideWhatASourceCannotHandOut) {
  RawSafetensors raw;
  raw.add("ids", "I64", "[2]", "[0,16]");
  raw.add("fp8", "F8_E4M3", "[3]", "[16,19]");
  raw.add("future", "F5_NEW", "[7]", "[19,24]");
  raw.add("patches", "F16", "[1,1,1,1,1]", "[24,26]");
  raw.add("none", "F32", "[0,4]", "[26,26]");
  raw.add("weight", "F16", "[1]", "[26,28]");
  raw.weights.resize(28);
  const SafetensorsHeader header = parse(raw.build());
  ASSERT_EQ(header.tensors.size(), 1u);
  EXPECT_EQ(header.tensors[0].name, "weight");
  std::map<std::string, std::string> reasons;
  for (const UnsupportedTensor& tensor : header.unsupported) reasons[tensor.name] = tensor.reason;
  EXPECT_EQ(reasons, (std::map<std::string, std::string>{{"ids", "type I64"},
                                                         {"fp8", "type F8_E4M3"},
                                                         {"future", "type F5_NEW"},
                                                         {"patches", "5 dimensions"},
                                                         {"none", "no elements"}}));
}

TEST(SafetensorsHeader, RefusesEveryTruncation) {
  const std::string whole = small_safetensors().build();
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(fails_with(ErrorCode::kInvalidFile, {"m.safetensors"},
                           [&] { parse(whole.substr(0, size)); }))
        << "cut to " << size << " bytes";
  }
}

TEST(SafetensorsHeader, SurvivesEveryByteChanged) {
  const std::string whole = small_safetensors().build();
  size_t refused = 0;
  for (size_t i = 0; i < whole.size() - 34; ++i) {
    for (const char value : {'\0', '"', '}', '9', '\xff'}) {
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

TEST(SafetensorsHeader, ReadsOrRefusesEverySeedOfItsFuzzer) {
  size_t read = 0;
  for (const auto& seed : fuzz_seeds("safetensors")) {
    try {
      parse(read_file(seed));
      ++read;
    } catch (const Error&) {  // an input that once crashed
    }
  }
  EXPECT_GE(read, 5u) << "the seeds of tests/fuzz/make_corpus.py are valid";
}

struct Corruption {
  std::string name;
  std::function<void(RawSafetensors&)> apply;
  std::vector<std::string> message;
};

class CorruptSafetensors : public testing::TestWithParam<Corruption> {};

TEST_P(CorruptSafetensors, IsRefusedWithANamedField) {
  RawSafetensors raw = small_safetensors();
  GetParam().apply(raw);
  std::vector<std::string> message = GetParam().message;
  message.push_back("m.safetensors: ");
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidFile, message, [&] { parse(raw.build()); }));
}

// Replaces the second tensor's entry.
Corruption norm(std::string name, std::string type, std::string shape, std::string offsets,
                std::vector<std::string> message) {
  return {std::move(name),
          [=](RawSafetensors& raw) {
            raw.fields.pop_back();
            raw.add("norm.weight", type, shape, offsets);
          },
          std::move(message)};
}

const auto kCorruptions = std::to_array<Corruption>({
    {"HugeHeader",
     [](RawSafetensors& s) { s.claimed_length = UINT64_MAX; },
     {"header", "at most 100000000"}},
    {"HeaderPastTheEnd",
     [](RawSafetensors& s) { s.claimed_length = 1000000; },
     {"header", "1000000 bytes expected"}},
    {"EmptyHeader", [](RawSafetensors& s) { s.claimed_length = 0; }, {"header", "not valid JSON"}},
    {"NotJson",
     [](RawSafetensors& s) { s.fields.push_back("oops"); },
     {"header", "not valid JSON"}},
    {"NotUtf8",
     [](RawSafetensors& s) { s.fields.push_back("\"\xff\":1"); },
     {"header", "not valid JSON"}},
    {"NumberBeyondDouble",
     [](RawSafetensors& s) { s.fields.push_back("\"x\":1e999"); },
     {"header", "too large"}},
    {"DeepJson",
     [](RawSafetensors& s) { s.fields.push_back("\"x\":" + std::string(100000, '[')); },
     {"deeper than 64"}},
    {"DuplicateTensor",
     [](RawSafetensors& s) { s.fields.push_back(s.fields.back()); },
     {"\"norm.weight\" stands twice"}},
    {"DuplicateField",
     [](RawSafetensors& s) { s.fields.push_back(R"("x":{"dtype":"F16","dtype":"F16"})"); },
     {"\"dtype\" stands twice"}},
    {"TensorThatIsANumber",
     [](RawSafetensors& s) { s.fields.push_back("\"x\":1"); },
     {"tensor x", "expected an object"}},
    {"ControlCharacterInAName",
     [](RawSafetensors& s) { s.fields.push_back(R"("\u001b[2J":1)"); },
     {"tensor \\x1b[2J"}},
    {"MetadataOfANumber",
     [](RawSafetensors& s) { s.fields[0] = R"("__metadata__":{"format":1})"; },
     {"__metadata__"}},
    {"MetadataThatIsAList",
     [](RawSafetensors& s) { s.fields[0] = R"("__metadata__":[])"; },
     {"__metadata__"}},
    {"MissingType",
     [](RawSafetensors& s) {
       s.fields[2] = R"("norm.weight":{"shape":[5],"data_offsets":[24,34]})";
     },
     {"tensor norm.weight", "\"dtype\" is missing"}},
    {"MissingShape",
     [](RawSafetensors& s) {
       s.fields[2] = R"("norm.weight":{"dtype":"F16","data_offsets":[24,34]})";
     },
     {"tensor norm.weight", "\"shape\" is missing"}},
    {"MissingOffsets",
     [](RawSafetensors& s) { s.fields[2] = R"("norm.weight":{"dtype":"F16","shape":[5]})"; },
     {"tensor norm.weight", "\"data_offsets\" is missing"}},
    {"BytesBehindTheLast",
     [](RawSafetensors& s) { s.weights += "x"; },
     {"end at byte 34", "the file has 35"}},
    norm("NegativeDimension", "F16", "[-5]", "[24,34]", {"tensor norm.weight", "\"shape\""}),
    norm("FractionalDimension", "F16", "[5.0]", "[24,34]", {"tensor norm.weight", "\"shape\""}),
    norm("HugeDimension", "F16", "[99999999999999999999]", "[24,34]",
         {"tensor norm.weight", "\"shape\""}),
    norm("ShapeThatIsAText", "F16", "\"5\"", "[24,34]", {"tensor norm.weight", "\"shape\""}),
    norm("CountWrapsAround", "F16", "[9223372036854775808,2]", "[24,34]",
         {"tensor norm.weight", "found 10 bytes"}),
    norm("BytesWrapAround", "F16", "[9223372036854775813]", "[24,34]",
         {"tensor norm.weight", "found 10 bytes"}),
    norm("SizeUnlikeShape", "F16", "[4]", "[24,34]", {"tensor norm.weight", "found 10 bytes"}),
    norm("SizeOfAForeignType", "I64", "[1]", "[24,34]", {"tensor norm.weight", "type I64"}),
    norm("HalfAByte", "F4", "[21]", "[24,34]", {"tensor norm.weight", "type F4"}),
    norm("OneOffset", "F16", "[5]", "[24]", {"tensor norm.weight", "\"data_offsets\""}),
    norm("ThreeOffsets", "F16", "[5]", "[24,34,34]", {"tensor norm.weight", "\"data_offsets\""}),
    norm("EndBeforeBegin", "F16", "[5]", "[34,24]", {"tensor norm.weight", "\"data_offsets\""}),
    norm("Overlap", "F16", "[5]", "[23,33]", {"tensor norm.weight", "begins at 23", "ends at 24"}),
    norm("Hole", "F16", "[4]", "[26,34]", {"tensor norm.weight", "begins at 26", "ends at 24"}),
    norm("PastTheEnd", "F16", "[6]", "[24,36]", {"end at byte 36", "the file has 34", "truncated"}),
    norm("OffsetsWrapAround", "F16", "[5]", "[18446744073709551606,18446744073709551616]",
         {"tensor norm.weight"}),
});

INSTANTIATE_TEST_SUITE_P(Safetensors, CorruptSafetensors, testing::ValuesIn(kCorruptions),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace nibble
