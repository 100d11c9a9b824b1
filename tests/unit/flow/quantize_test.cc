// nibble::quantize: what it writes, how much memory it takes, and what it refuses.
#include "nibble/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "codec/codec.h"
#include "file/gguf.h"
#include "file/safetensors_sink.h"
#include "nibble/inspect.h"
#include "support/files.h"

namespace nibble {
namespace {

// A copy of lab-7m whose files a test can spoil.
class CopyOfLab7m {
 public:
  CopyOfLab7m() { std::filesystem::copy(kLab7m, folder_.path() / "model"); }
  std::filesystem::path path() const { return folder_.path() / "model"; }
  std::filesystem::path target() const { return folder_.path() / "out.gguf"; }

  void replace_in_config(const std::string& from, const std::string& to) {
    replace("config.json", from, to);
  }
  void replace(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = read_file(path() / file);
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write_file(path() / file, text.replace(at, from.size(), to));
  }
  // Writes f16 bits over weight `index` of a tensor.
  void spoil_weight(const std::string& tensor, uint64_t index, uint16_t bits) {
    std::string bytes = read_file(path() / "model.safetensors");
    const auto at = bytes.find("\"" + tensor + "\"");
    ASSERT_NE(at, std::string::npos);
    const auto offsets = bytes.find("\"data_offsets\"", at);
    const uint64_t begin = std::stoull(bytes.substr(bytes.find('[', offsets) + 1));
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    std::memcpy(bytes.data() + 8 + header + begin + 2 * index, &bits, sizeof bits);
    write_file(path() / "model.safetensors", bytes);
  }
  bool left_nothing() const { return folder_.count_files() == 1; }
  testing::AssertionResult is_refused(ErrorCode code,
                                      const std::vector<std::string>& fragments) const {
    auto refused = fails_with(code, fragments, [&] {
      quantize(path(), {{"q4_0", target()}, {"q8_0", other()}});
    });
    if (refused && !left_nothing()) return testing::AssertionFailure() << "files were left behind";
    return refused;
  }

 private:
  std::filesystem::path other() const { return folder_.path() / "other.gguf"; }
  TemporaryFolder folder_;
};

TEST(Quantize, GivesManyFilesFromOneReadTheBytesOfOneByOne) {
  const TemporaryFolder folder;
  const std::vector<std::string> types = {"q8_0", "q6_k", "q4_k_m", "q4_0", "f16"};
  std::vector<QuantizeTarget> together;
  for (const auto& type : types) together.push_back({type, folder / (type + ".gguf")});
  const auto result = quantize(kLab7m, together);
  for (const auto& type : types) {
    quantize(kLab7m, {{type, folder / "alone.gguf"}});
    EXPECT_TRUE(read_file(folder / "alone.gguf") == read_file(folder / (type + ".gguf"))) << type;
  }
  EXPECT_LT(result.source_bytes, std::filesystem::file_size(kLab7m / "model.safetensors"));
  for (const auto& file : result.files)
    EXPECT_EQ(file.bytes, std::filesystem::file_size(file.path)) << file.type;
}

TEST(Quantize, DoesNotDependOnThreadsOrMemory) {
  const TemporaryFolder folder;
  quantize(kLab7m, {{"q4_k_m", folder / "default.gguf"}});
  for (const int threads : {1, 3}) {
    QuantizeOptions options;
    options.run.threads = threads;
    options.memory_limit = 1 << 16;
    quantize(kLab7m, {{"q4_k_m", folder / "other.gguf"}}, options);
    EXPECT_TRUE(read_file(folder / "other.gguf") == read_file(folder / "default.gguf"))
        << threads << " threads";
  }
}

TEST(Quantize, KeepsItsBuffersWithinTheLimit) {
  const TemporaryFolder folder;
  QuantizeOptions options;
  options.memory_limit = 100000;
  const auto result =
      quantize(kLab7m, {{"q4_k_m", folder / "a.gguf"}, {"q8_0", folder / "b.gguf"}}, options);
  EXPECT_LE(result.peak_buffer_bytes, options.memory_limit);
  EXPECT_GT(result.peak_buffer_bytes, options.memory_limit / 2);
}

TEST(Quantize, GoesFromGgufAsFromTheDirectory) {
  const TemporaryFolder folder;
  quantize(kLab7m, {{"f16", folder / "f16.gguf"}, {"q4_k_m", folder / "direct.gguf"}});
  quantize(folder / "f16.gguf", {{"q4_k_m", folder / "by-gguf.gguf"}});
  const GgufFile direct(folder / "direct.gguf");
  const GgufFile by_gguf(folder / "by-gguf.gguf");
  ASSERT_EQ(direct.tensors(), by_gguf.tensors());
  for (size_t i = 0; i < direct.tensors().size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(direct.view(i), by_gguf.view(i))) << direct.tensors()[i].name;
  }
}

TEST(Quantize, WritesTheTypesAndSizesOfStock) {
  NIBBLE_REQUIRE_SHARED(shared_path("models/lab-7m-stock"));
  const TemporaryFolder folder;
  for (const std::string type : {"Q4_0", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"}) {
    quantize(kLab7m, {{type, folder / "ours.gguf"}});
    const GgufFile ours(folder / "ours.gguf");
    const GgufFile stock(shared_path("models/lab-7m-stock") / (type + ".gguf"));
    std::map<std::string, DType> expected;
    for (const auto& tensor : stock.tensors()) expected[tensor.name] = tensor.type;
    ASSERT_EQ(ours.tensors().size(), expected.size());
    for (const auto& tensor : ours.tensors())
      EXPECT_EQ(tensor.type, expected.at(tensor.name)) << type << " " << tensor.name;
    for (const auto& [key, value] : stock.metadata().entries()) {
      const MetadataValue* found = ours.metadata().find(key);
      ASSERT_NE(found, nullptr) << type << " " << key;
      EXPECT_EQ(metadata_type_name(*found), metadata_type_name(value)) << key;
      EXPECT_TRUE(*found == value) << type << " " << key;
    }
  }
}

TEST(Quantize, ReportsTensorsThatFellBack) {
  NIBBLE_REQUIRE_SHARED(shared_path("models/stories260k"));
  const TemporaryFolder folder;
  const auto result =
      quantize(shared_path("models/stories260k"), {{"q4_k_m", folder / "out.gguf"}});
  ASSERT_FALSE(result.files[0].fallbacks.empty());
  EXPECT_EQ(result.files[0].fallbacks.size(), 36u);  // all matrices: 64 and 172 columns
  EXPECT_GT(result.files[0].bits_per_weight, 8.0);
  EXPECT_TRUE(validate(folder / "out.gguf").empty());
}

TEST(Quantize, TouchesNoOldFileWhenCancelled) {
  const TemporaryFolder folder;
  const std::atomic<bool> cancelled{true};  // seen after the first rows
  QuantizeOptions options;
  options.run.cancelled = &cancelled;
  write_file(folder / "out.gguf", "old");
  EXPECT_TRUE(fails_with(ErrorCode::kCancelled, {}, [&] {
    quantize(kLab7m, {{"f32", folder / "out.gguf"}}, options);
  }));
  EXPECT_TRUE(read_file(folder / "out.gguf") == "old");
}

TEST(Quantize, RefusesToLoseTwiceUnlessAsked) {
  const TemporaryFolder folder;
  quantize(kLab7m, {{"q8_0", folder / "q8_0.gguf"}});
  EXPECT_TRUE(fails_with(ErrorCode::kUnsupported,
                         {"q8_0.gguf", "--allow-requantize", "token_embd.weight"}, [&] {
                           quantize(folder / "q8_0.gguf", {{"q4_0", folder / "out.gguf"}});
                         }));
  QuantizeOptions options;
  options.allow_requantize = true;
  quantize(folder / "q8_0.gguf", {{"q4_0", folder / "out.gguf"}}, options);
  EXPECT_TRUE(validate(folder / "out.gguf").empty());
}

TEST(Quantize, RefusesItsSourceAsTarget) {
  const TemporaryFolder folder;
  quantize(kLab7m, {{"f16", folder / "f16.gguf"}});
  const std::string before = read_file(folder / "f16.gguf");
  std::filesystem::create_hard_link(folder / "f16.gguf", folder / "link.gguf");
  for (const char* name : {"f16.gguf", "link.gguf", "./f16.gguf"}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"source itself"}, [&] {
      quantize(folder / "f16.gguf", {{"q8_0", folder / name}});
    }));
  }
  EXPECT_TRUE(read_file(folder / "f16.gguf") == before);
}

TEST(Quantize, RefusesBadTargets) {
  const TemporaryFolder folder;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"q9_z", "q4_k_m"}, [&] {
    quantize(kLab7m, {{"q9_z", folder / "a.gguf"}});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, {"one file"}, [&] {
    quantize(kLab7m, {{"q8_0", folder / "a.gguf"}, {"q4_0", folder / "./a.gguf"}});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kIo, {"no-such-folder"}, [&] {
    quantize(kLab7m, {{"q8_0", folder / "no-such-folder/a.gguf"}});
  }));
  EXPECT_EQ(folder.count_files(), 0u);
}

TEST(BadModels, NaNIsNamedByTensorAndIndex) {
  CopyOfLab7m model;
  model.spoil_weight("model.layers.3.mlp.up_proj.weight", 1000, 0x7e00);
  EXPECT_TRUE(model.is_refused(ErrorCode::kInvalidFile,
                               {"blk.3.ffn_up.weight", "1000", "row 3, column 232", "NaN"}));
}

TEST(BadModels, InfinityIsNamedByTensorAndIndex) {
  CopyOfLab7m model;
  model.spoil_weight("model.norm.weight", 7, 0xfc00);
  EXPECT_TRUE(
      model.is_refused(ErrorCode::kInvalidFile, {"output_norm.weight", "weight 7", "infinite"}));
}

TEST(BadModels, VocabularyOfAnotherSizeThanTheEmbedding) {
  CopyOfLab7m model;
  model.replace_in_config("\"vocab_size\": 4096", "\"vocab_size\": 4097");
  EXPECT_TRUE(model.is_refused(ErrorCode::kInvalidFile, {"4097", "4096"}));
}

TEST(BadModels, ContradictoryConfigs) {
  const std::vector<std::tuple<std::string, std::string, std::vector<std::string>>> cases = {
      {"\"num_key_value_heads\": 4", "\"num_key_value_heads\": 3", {"3"}},
      {"\"num_attention_heads\": 8", "\"num_attention_heads\": 0", {"num_attention_heads"}},
      {"\"hidden_size\": 256", "\"hidden_size\": -1", {"hidden_size", "-1"}},
      {"\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", {"hidden_act", "gelu"}},
      {"\"rms_norm_eps\"", "\"rms_norm_epsilon\"", {"rms_norm_eps", "missing"}},
      {"LlamaForCausalLM", "NoSuchModel", {"NoSuchModel", "llama"}},
  };
  for (const auto& [from, to, fragments] : cases) {
    CopyOfLab7m model;
    model.replace_in_config(from, to);
    bool refused = false;
    try {
      quantize(model.path(), {{"q4_0", model.target()}});
    } catch (const Error& error) {
      refused = true;
      for (const auto& fragment : fragments) {
        EXPECT_NE(std::string(error.what()).find(fragment), std::string::npos) << error.what();
      }
    }
    EXPECT_TRUE(refused) << to;
    EXPECT_TRUE(model.left_nothing()) << to;
  }
}

TEST(BadModels, ConfigsThatTheTensorsContradict) {
  for (const auto& [from, to] :
       {std::pair("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 7"),
        std::pair("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 5"),
        std::pair("\"intermediate_size\": 768", "\"intermediate_size\": 512"),
        std::pair("\"hidden_size\": 256", "\"hidden_size\": 512")}) {
    CopyOfLab7m model;
    model.replace_in_config(from, to);
    EXPECT_TRUE(model.is_refused(ErrorCode::kInvalidFile, {"tensor"})) << to;
  }
}

}  // namespace
}  // namespace nibble
