// The stack machine of pickle.h: runs the opcodes and leaves plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "file/byte_reader.h"

namespace nibble {

// What a pickle may name.
enum class PickleName {
  kOrderedDict,
  kRebuildTensor,    // torch._utils._rebuild_tensor
  kRebuildTensorV2,  // and what `torch.save` writes since 2018
  kRebuildTensorV3,  // of an UntypedStorage, with the type as an argument
  kRebuildParameter,
  kSize,
  kStorage,  // torch.FloatStorage ..., torch.storage.UntypedStorage
  kDType,    // torch.float32 ...
};

struct PickleValue {
  enum class Kind {
    kNone,
    kBool,
    kInteger,
    kLong,  // more than 8 bytes, in `text`
    kFloat,
    kText,
    kBytes,
    kTuple,
    kList,
    kDict,     // items: key, value, key, value ...
    kName,     // `name`; `text` has the element type of a storage or dtype
    kStorage,  // text: key; item 0: the storage's name; integer: elements
    kTensor,   // items: storage, offset, shape, strides; text: its type where the storage has none
  };
  Kind kind = Kind::kNone;
  PickleName name = PickleName::kOrderedDict;
  int64_t integer = 0;
  std::string_view text = {};
  std::vector<uint32_t> items = {};
};

class PickleMachine {
 public:
  // `bytes` must outlive the machine: values point into it.
  PickleMachine(std::span<const std::byte> bytes, const std::string& file_name);

  // Runs until STOP; the value that is left. Errors: as pickle.h says.
  uint32_t run();
  const PickleValue& value(uint32_t index) const { return values_[index]; }
  const std::vector<PickleValue>& values() const { return values_; }
  uint64_t offset() const { return in_.offset(); }

 private:
  using Kind = PickleValue::Kind;

  bool run_one(uint8_t opcode);
  bool run_constant(uint8_t opcode);
  bool run_text(uint8_t opcode);
  bool run_container(uint8_t opcode);
  bool run_memo(uint8_t opcode);
  bool run_name(uint8_t opcode);

  void push(uint32_t value);
  void make(PickleValue value);
  uint32_t pop();
  std::vector<uint32_t> pop_to_mark();
  uint32_t& top();
  std::string_view read_text(uint64_t length, uint64_t limit);
  std::string_view read_line();
  void read_long(uint64_t length);
  void put(uint64_t key);
  void get(uint64_t key);
  void make_name(std::string_view module, std::string_view name);
  void extend(Kind kind, const std::vector<uint32_t>& items);
  void reduce();
  void reduce_tensor(PickleName name, const std::vector<uint32_t>& arguments);
  void build();
  void load_storage();

  ByteReader in_;
  std::span<const std::byte> bytes_;
  std::vector<PickleValue> values_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::map<uint64_t, uint32_t> memo_;
  size_t copies_ = 0;  // of handles in values
};

}  // namespace nibble
