// Files that would have PyTorch do something, or that lie about what they hold:
// tests/fuzz/make_corpus.py makes them, and each is refused with words that name what is wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "file/torch_file.h"
#include "support/files.h"

namespace nibble {
namespace {

struct Refusal {
  const char* seed;
  ErrorCode code;
  std::vector<std::string> words;
};

const std::vector<Refusal> kRefusals = {
    {"os_system", ErrorCode::kUnsupported, {"names os.system,", "nothing of it is carried out"}},
    {"posix_system", ErrorCode::kUnsupported, {"names posix.system,"}},
    {"builtins_eval", ErrorCode::kUnsupported, {"names builtins.eval,"}},
    {"builtins_getattr", ErrorCode::kUnsupported, {"names builtins.getattr,"}},
    {"subprocess", ErrorCode::kUnsupported, {"names subprocess.Popen,"}},
    {"load_from_bytes", ErrorCode::kUnsupported, {"names torch.storage._load_from_bytes,"}},
    {"torch_load", ErrorCode::kUnsupported, {"names torch.load,"}},
    {"hub_load", ErrorCode::kUnsupported, {"names torch.hub.load,"}},
    {"runpy", ErrorCode::kUnsupported, {"names runpy._run_code,"}},
    {"late_state", ErrorCode::kUnsupported, {"names os.system,"}},
    {"stack_global", ErrorCode::kUnsupported, {"names os.system,"}},
    {"stack_global_memo", ErrorCode::kUnsupported, {"names os.system,"}},
    {"stack_global_dots", ErrorCode::kUnsupported, {"names torch.os.system,"}},
    {"stack_global_number", ErrorCode::kInvalidFile, {"a name is no text"}},
    {"newline_name", ErrorCode::kUnsupported, {"names os", "x.system,"}},
    {"newobj", ErrorCode::kUnsupported, {"opcode 0x81", "not carried out"}},
    {"inst", ErrorCode::kUnsupported, {"opcode 0x69"}},
    {"obj", ErrorCode::kUnsupported, {"opcode 0x6f"}},
    {"ext", ErrorCode::kUnsupported, {"opcode 0x82"}},
    {"call_a_call", ErrorCode::kUnsupported, {"calls something that is no constructor"}},
    {"text_protocol", ErrorCode::kUnsupported, {"opcode 0x64"}},
    {"deep", ErrorCode::kInvalidFile, {"deeper than 1000 levels"}},
    {"deep_lists", ErrorCode::kInvalidFile, {"2000 values at the end, expected one"}},
    {"memo_bomb", ErrorCode::kInvalidFile, {"values at the end, expected one"}},
    {"dict_bomb", ErrorCode::kUnsupported, {"arguments that it does not have"}},
    {"memo_unknown", ErrorCode::kInvalidFile, {"takes memo 7"}},
    {"underflow", ErrorCode::kInvalidFile, {"takes a value that is not there"}},
    {"no_stop", ErrorCode::kInvalidFile, {"truncated"}},
    {"long_integer", ErrorCode::kUnsupported, {"something else than a state dict"}},
    {"long_text", ErrorCode::kInvalidFile, {"a string of 4294967295 bytes"}},
    {"long_name", ErrorCode::kInvalidFile, {"truncated"}},
    {"no_tensors", ErrorCode::kInvalidFile, {"holds no tensors by name"}},
    {"beyond_storage", ErrorCode::kInvalidFile, {"tensor w", "do not lie in a storage"}},
    {"huge_shape", ErrorCode::kInvalidFile, {"tensor w", "do not lie in a storage"}},
    {"negative_shape", ErrorCode::kInvalidFile, {"tensor w", "integers from 0"}},
    {"no_storage", ErrorCode::kInvalidFile, {"storage 7 is missing"}},
    {"storage_path", ErrorCode::kInvalidFile, {"storage ../0 is missing"}},
    {"twice", ErrorCode::kInvalidFile, {"tensor w stands twice"}},
    {"compressed", ErrorCode::kUnsupported, {"a/data.pkl is compressed"}},
    {"zip_bomb", ErrorCode::kUnsupported, {"is compressed"}},
    {"no_pickle", ErrorCode::kInvalidFile, {"0 entries data.pkl"}},
    {"tail", ErrorCode::kInvalidFile, {"end record is missing"}},
    {"cut", ErrorCode::kInvalidFile, {"end record is missing"}},
    {"big_endian", ErrorCode::kUnsupported, {"byteorder", "\"bigbig\""}},
    {"other", ErrorCode::kInvalidFile, {"not a file of torch.save"}},
    {"legacy_cut", ErrorCode::kInvalidFile, {"storage 0 is truncated"}},
    {"legacy_count", ErrorCode::kInvalidFile, {"storage 0 has another size"}},
    {"legacy_system", ErrorCode::kUnsupported, {"names os.system,"}},
    {"overlap", ErrorCode::kInvalidFile, {"differs between the directory and its place"}},
    {"same_place", ErrorCode::kInvalidFile, {"a/data/0 stands twice"}},
    {"outside", ErrorCode::kInvalidFile, {"ZIP entry", "beyond the end"}},
    {"too_long", ErrorCode::kInvalidFile, {"a/data/0", "do not end before byte"}},
    {"swallows", ErrorCode::kInvalidFile, {"a/byteorder overlaps"}},
};

TorchContent parse(const std::string& file) {
  return parse_torch_file(std::as_bytes(std::span(file)), "m.bin");
}

std::string seed(const std::string& name) {
  return read_file(repository_path("tests/fuzz/corpus/torch") / (name + ".torch"));
}

TEST(TorchSeeds, AreRefusedByWhatIsWrongWithThem) {
  for (const Refusal& refusal : kRefusals) {
    const std::string file = seed("bad_" + std::string(refusal.seed));
    EXPECT_TRUE(fails_with(refusal.code, refusal.words, [&] { parse(file); })) << refusal.seed;
  }
}

TEST(TorchSeeds, AreAllListed) {
  const auto seeds = fuzz_seeds("torch");
  const auto bad = std::ranges::count_if(seeds, [](const auto& path) {
    return path.extension() == ".torch" && path.filename().string().starts_with("bad_");
  });
  EXPECT_EQ(static_cast<size_t>(bad), kRefusals.size());
}

TEST(TorchSeeds, OfTheSameShapeButHonestAreRead) {
  for (const char* name : {"zip", "legacy"}) {
    const TorchContent content = parse(seed(name));
    ASSERT_EQ(content.stored.size(), 1u) << name;
    EXPECT_EQ(content.stored[0].name, "w");
    EXPECT_EQ(content.stored[0].shape, (std::vector<uint64_t>{2, 3})) << name;
  }
}

// A bit here and there: refused, or tensors within the file.
TEST(TorchSeeds, NothingBreaksWhereverAFileIsCutOrChanged) {
  for (const char* name : {"zip", "legacy"}) {
    const std::string whole = seed(name);
    for (size_t i = 0; i < whole.size(); ++i) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 0x41);
      for (const std::string& file : {whole.substr(0, i), changed}) {
        try {
          for (const StoredTensor& tensor : parse(file).stored) {
            const auto bytes = stored_bytes(tensor.type, tensor.shape);
            ASSERT_LE(tensor.offset + bytes.value(), file.size()) << name << i;
          }
        } catch (const Error& error) {
          ASSERT_NE(std::string_view(error.what()).find("m.bin"), std::string_view::npos) << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace nibble
