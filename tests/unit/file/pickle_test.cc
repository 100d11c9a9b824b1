#include "file/pickle.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/files.h"
#include "unit/file/raw_zip.h"

namespace nibble {
namespace {

std::string text(const std::string& value) {
  return "X" + little_endian(static_cast<uint32_t>(value.size())) + value;
}
std::string whole(const std::string& operations) { return "\x80\x02" + operations + "."; }

testing::AssertionResult refuses(const std::string& operations, ErrorCode code,
                                 const std::vector<std::string>& fragments) {
  const std::string file = whole(operations);
  return fails_with(code, fragments, [&] { read_pickled_tensors(bytes_of(file), "m.bin"); });
}

const std::string kStorage =
    "(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\x06tQ";
const std::string kTensor = "ctorch._utils\n_rebuild_tensor_v2\n(" + kStorage +
                            "K\x02K\x02K\x02\x86K\x02K\x01\x86\x89" +
                            "ccollections\nOrderedDict\n)RtR";

TEST(Pickle, HoldsTensors) {
  const std::string file = whole("}(" + text("w") + kTensor + text("step") + "K\x07u");
  const PickledTensors read = read_pickled_tensors(bytes_of(file), "m.bin");
  ASSERT_EQ(read.tensors.size(), 1u);
  const PickledTensor& tensor = read.tensors[0];
  EXPECT_EQ(tensor.name, "w");
  EXPECT_EQ(tensor.storage, "0");
  EXPECT_EQ(tensor.type, "F32");
  EXPECT_EQ(tensor.storage_elements, 6u);
  EXPECT_EQ(tensor.offset, 2u);
  EXPECT_EQ(tensor.shape, (std::vector<uint64_t>{2, 2}));
  EXPECT_EQ(tensor.strides, (std::vector<uint64_t>{2, 1}));
  EXPECT_EQ(read.bytes, file.size());
}

TEST(Pickle, FindsTheStateDictOfACheckpoint) {
  const std::string inner = "}" + text("w") + kTensor + "s";
  const std::string file = whole("}(" + text("epoch") + "K\x01" + text("model") + inner + "u");
  EXPECT_EQ(read_pickled_tensors(bytes_of(file), "m.bin").tensors.size(), 1u);
}

TEST(Pickle, RefusesEveryNameThatTensorsDoNotNeed) {
  for (const char* name : {"os.system",
                           "posix.system",
                           "nt.system",
                           "builtins.eval",
                           "builtins.exec",
                           "builtins.getattr",
                           "__builtin__.eval",
                           "subprocess.Popen",
                           "torch.load",
                           "torch.serialization.load",
                           "torch.hub.load",
                           "torch.jit.load",
                           "runpy.run_path",
                           "pickle.loads",
                           "_pickle.loads",
                           "numpy.load",
                           "functools.partial",
                           "operator.attrgetter",
                           "importlib.import_module",
                           "webbrowser.open",
                           "torch._utils._import_dotted_name",
                           "torch._inductor.codecache.compile_file",
                           "torch.storage._load_from_bytes",
                           "collections.defaultdict",
                           "copyreg._reconstructor",
                           "collections.OrderedDict.fromkeys",
                           "torch._utils._rebuild_tensor_v2.__globals__"}) {
    const std::string all = name;
    const size_t dot = all.starts_with("collections.O")     ? 11
                       : all.starts_with("torch._utils._r") ? 12
                                                            : all.rfind('.');
    const std::string module = all.substr(0, dot), member = all.substr(dot + 1);
    const std::string call = text("echo") + "\x85R";
    EXPECT_TRUE(refuses("c" + module + "\n" + member + "\n" + call, ErrorCode::kUnsupported,
                        {"m.bin", "names " + all + ",", "nothing of it is carried out"}));
    EXPECT_TRUE(refuses(text(module) + text(member) + "\x93" + call, ErrorCode::kUnsupported,
                        {"names " + all + ","}));
  }
}

TEST(Pickle, RefusesNamesThatArePutTogether) {
  EXPECT_TRUE(refuses("K\x01K\x02\x93", ErrorCode::kInvalidFile, {"a name is no text"}));
  // The name of a class as a module, out of the memo
  EXPECT_TRUE(refuses("ctorch\nSize\nq\x01" + text("x") + "\x93", ErrorCode::kInvalidFile,
                      {"a name is no text"}));
  EXPECT_TRUE(refuses(text("os") + "q\x05" + "0h\x05" + text("system") + "\x93",
                      ErrorCode::kUnsupported, {"names os.system,"}));
  EXPECT_TRUE(refuses("ctorch\n\nSize\n", ErrorCode::kUnsupported, {"names torch.,"}));
}

TEST(Pickle, RefusesCallsOfEverythingElse) {
  EXPECT_TRUE(refuses(text("os.system") + ")R", ErrorCode::kUnsupported, {"calls something"}));
  EXPECT_TRUE(refuses("})R", ErrorCode::kUnsupported, {"calls something"}));
  EXPECT_TRUE(refuses("ctorch\nFloatStorage\n)R", ErrorCode::kUnsupported, {"arguments"}));
  EXPECT_TRUE(
      refuses("ctorch._utils\n_rebuild_tensor_v2\n)R", ErrorCode::kUnsupported, {"arguments"}));
  EXPECT_TRUE(refuses("ctorch._utils\n_rebuild_parameter\n(K\x01K\x02K\x03tR",
                      ErrorCode::kUnsupported, {"arguments"}));
  EXPECT_TRUE(refuses("ctorch\nSize\n}b", ErrorCode::kUnsupported, {"sets the state"}));
  EXPECT_TRUE(
      refuses("}K\x01"
              "b",
              ErrorCode::kUnsupported, {"sets the state"}));
  EXPECT_TRUE(refuses(text("/etc/passwd") + "Q", ErrorCode::kUnsupported, {"refers to"}));
}

TEST(Pickle, RefusesOtherOperationsByTheirCode) {
  for (const char* code : {"\x81", "\x92", "i",    "o",    "P",    "\x82", "\x83", "\x84", "\x8f",
                           "\x90", "\x91", "\x8b", "\x8e", "\x96", "\x97", "\x98", "I",    "L",
                           "V",    "S",    "d",    "l",    "p",    "g",    "F"}) {
    const auto hex = fmt::format("{:#04x}", static_cast<unsigned char>(*code));
    EXPECT_TRUE(refuses("))" + std::string(code), ErrorCode::kUnsupported, {"opcode " + hex}));
  }
}

TEST(Pickle, BoundsWhatItKeeps) {
  const std::string deep(100'000, '(');
  EXPECT_TRUE(refuses(deep, ErrorCode::kInvalidFile, {"deeper than 1000"}));
  std::string nested(3'000'000, ']');
  EXPECT_TRUE(refuses(nested, ErrorCode::kInvalidFile, {"more than 2097152 values"}));
  std::string doubled = "]";  // each list holds the one before twice: 2^64 in all, were it followed
  for (int i = 0; i < 64; ++i)
    doubled +=
        "q\x01"
        "h\x01\x86";
  EXPECT_TRUE(refuses(doubled, ErrorCode::kUnsupported, {"something else than a state dict"}));
  std::string memo = "N";
  for (uint32_t i = 0; i < 2'200'000; ++i) memo += "r" + little_endian(i);
  EXPECT_TRUE(refuses(memo, ErrorCode::kInvalidFile, {"remembers more than"}));
  EXPECT_TRUE(refuses("X" + little_endian(0xffffffffu) + "a", ErrorCode::kInvalidFile,
                      {"string of 4294967295 bytes"}));
  EXPECT_TRUE(refuses(text(std::string(5000, 'a')), ErrorCode::kInvalidFile, {"4096 allowed"}));
}

TEST(Pickle, RefusesWhatIsNotThere) {
  EXPECT_TRUE(refuses("", ErrorCode::kInvalidFile, {"0 values at the end"}));
  EXPECT_TRUE(refuses("0", ErrorCode::kInvalidFile, {"not there"}));
  EXPECT_TRUE(refuses("N(0", ErrorCode::kInvalidFile, {"not there"}));
  EXPECT_TRUE(refuses("t", ErrorCode::kInvalidFile, {"a mark that is not there"}));
  EXPECT_TRUE(refuses("h\x07", ErrorCode::kInvalidFile, {"memo 7"}));
  EXPECT_TRUE(refuses("}NNNs", ErrorCode::kInvalidFile, {"no list or dict"}));
  EXPECT_TRUE(refuses("}(" + text("w") + "u", ErrorCode::kInvalidFile, {"no list or dict"}));
  EXPECT_TRUE(refuses("K\x01", ErrorCode::kUnsupported, {"state dict"}));
}

TEST(Pickle, RefusesTensorsThatContradictThemselves) {
  const auto tensor = [](const std::string& rest) {
    return "}" + text("w") + "ctorch._utils\n_rebuild_tensor_v2\n(" + kStorage + rest + "\x89}tRs";
  };
  EXPECT_TRUE(refuses(tensor("K\x02K\x02\x85)"), ErrorCode::kInvalidFile, {"tensor w"}));
  EXPECT_TRUE(refuses(tensor("J\xff\xff\xff\xff))"), ErrorCode::kInvalidFile, {"tensor w"}));
  EXPECT_TRUE(refuses(tensor(std::string("K\0J\xff\xff\xff\xff\x85K\x01\x85", 11)),
                      ErrorCode::kInvalidFile, {"tensor w", "integers from 0"}));
}

}  // namespace
}  // namespace nibble
