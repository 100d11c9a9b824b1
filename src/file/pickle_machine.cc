#include "file/pickle_machine.h"

#include <algorithm>
#include <array>
#include <optional>

#include "file/pickle.h"

namespace nibble {
namespace {

struct NameRow {
  std::string_view module, name;
  PickleName meaning;
  std::string_view type = {};
};

using enum PickleName;

// Everything that a pickle may name. What is missing here is refused.
constexpr auto kNames = std::to_array<NameRow>({
    {"collections", "OrderedDict", kOrderedDict},
    {"torch._utils", "_rebuild_tensor", kRebuildTensor},
    {"torch._utils", "_rebuild_tensor_v2", kRebuildTensorV2},
    {"torch._utils", "_rebuild_tensor_v3", kRebuildTensorV3},
    {"torch._utils", "_rebuild_parameter", kRebuildParameter},
    {"torch", "Size", kSize},
    {"torch", "FloatStorage", kStorage, "F32"},
    {"torch", "HalfStorage", kStorage, "F16"},
    {"torch", "BFloat16Storage", kStorage, "BF16"},
    {"torch", "DoubleStorage", kStorage, "F64"},
    {"torch", "LongStorage", kStorage, "I64"},
    {"torch", "IntStorage", kStorage, "I32"},
    {"torch", "ShortStorage", kStorage, "I16"},
    {"torch", "CharStorage", kStorage, "I8"},
    {"torch", "ByteStorage", kStorage, "U8"},
    {"torch", "BoolStorage", kStorage, "BOOL"},
    {"torch.storage", "UntypedStorage", kStorage, ""},
    {"torch", "UntypedStorage", kStorage, ""},
    {"torch", "float32", kDType, "F32"},
    {"torch", "float16", kDType, "F16"},
    {"torch", "bfloat16", kDType, "BF16"},
    {"torch", "float64", kDType, "F64"},
    {"torch", "int64", kDType, "I64"},
    {"torch", "int32", kDType, "I32"},
    {"torch", "int16", kDType, "I16"},
    {"torch", "int8", kDType, "I8"},
    {"torch", "uint8", kDType, "U8"},
    {"torch", "uint16", kDType, "U16"},
    {"torch", "uint32", kDType, "U32"},
    {"torch", "uint64", kDType, "U64"},
    {"torch", "bool", kDType, "BOOL"},
    {"torch", "float8_e4m3fn", kDType, "F8_E4M3"},
    {"torch", "float8_e5m2", kDType, "F8_E5M2"},
    {"torch", "float8_e8m0fnu", kDType, "F8_E8M0"},
});

constexpr uint64_t kMaxMemoKey = UINT32_MAX;

}  // namespace

PickleMachine::PickleMachine(std::span<const std::byte> bytes, const std::string& file_name)
    : in_(bytes.first(std::min<size_t>(bytes.size(), kPickleMaxBytes)), file_name), bytes_(bytes) {
  in_.set_field("pickle");
}

uint32_t PickleMachine::run() {
  for (;;) {
    const auto opcode = in_.read<uint8_t>();
    if (opcode == '.') break;
    if (!run_one(opcode)) {
      in_.fail_here(ErrorCode::kUnsupported,
                    "found opcode {:#04x}, which no tensor needs; it is not carried out", opcode);
    }
  }
  if (!marks_.empty() || stack_.size() != 1) {
    in_.fail_here(ErrorCode::kInvalidFile, "found {} values at the end, expected one",
                  stack_.size());
  }
  return stack_.front();
}

bool PickleMachine::run_one(uint8_t opcode) {
  return run_constant(opcode) || run_text(opcode) || run_memo(opcode) || run_container(opcode) ||
         run_name(opcode);
}

bool PickleMachine::run_constant(uint8_t opcode) {
  const auto integer = [&](int64_t value, Kind kind = Kind::kInteger) {
    make({.kind = kind, .integer = value});
  };
  switch (opcode) {
    case 0x80:  // PROTO
      if (const auto version = in_.read<uint8_t>(); version < 2 || version > 5)
        in_.fail_here(ErrorCode::kUnsupported, "found protocol {}, expected 2 to 5", version);
      return true;
    case 0x95:
      in_.read<uint64_t>();
      return true;  // FRAME
    case 'N':
      make({});
      return true;  // NONE
    case 0x88:
      integer(1, Kind::kBool);
      return true;  // NEWTRUE
    case 0x89:
      integer(0, Kind::kBool);
      return true;  // NEWFALSE
    case 'J':
      integer(in_.read<int32_t>());
      return true;  // BININT
    case 'K':
      integer(in_.read<uint8_t>());
      return true;  // BININT1
    case 'M':
      integer(in_.read<uint16_t>());
      return true;  // BININT2
    case 0x8a:
      read_long(in_.read<uint8_t>());
      return true;  // LONG1
    case 'G':       // BINFLOAT
      in_.read<uint64_t>();
      make({.kind = Kind::kFloat});
      return true;
    default:
      return false;
  }
}

bool PickleMachine::run_text(uint8_t opcode) {
  const auto text = [&](uint64_t length) {
    make({.kind = Kind::kText, .text = read_text(length, kPickleMaxTextBytes)});
  };
  const auto bytes = [&](uint64_t length) {
    make({.kind = Kind::kBytes, .text = read_text(length, kPickleMaxTextBytes)});
  };
  switch (opcode) {
    case 'X':
      text(in_.read<uint32_t>());
      return true;  // BINUNICODE
    case 0x8c:
      text(in_.read<uint8_t>());
      return true;  // SHORT_BINUNICODE
    case 0x8d:
      text(in_.read<uint64_t>());
      return true;  // BINUNICODE8
    case 'T':
      text(in_.read<uint32_t>());
      return true;  // BINSTRING, Python 2
    case 'U':
      text(in_.read<uint8_t>());
      return true;  // SHORT_BINSTRING, Python 2
    case 'B':
      bytes(in_.read<uint32_t>());
      return true;  // BINBYTES
    case 'C':
      bytes(in_.read<uint8_t>());
      return true;  // SHORT_BINBYTES
    default:
      return false;
  }
}

bool PickleMachine::run_memo(uint8_t opcode) {
  switch (opcode) {
    case 'h':
      get(in_.read<uint8_t>());
      return true;  // BINGET
    case 'j':
      get(in_.read<uint32_t>());
      return true;  // LONG_BINGET
    case 'q':
      put(in_.read<uint8_t>());
      return true;  // BINPUT
    case 'r':
      put(in_.read<uint32_t>());
      return true;  // LONG_BINPUT
    case 0x94:
      put(memo_.size());
      return true;  // MEMOIZE
    case '0':
      pop();
      return true;  // POP
    case '1':
      pop_to_mark();
      return true;  // POP_MARK
    case '2':
      push(top());
      return true;  // DUP
    default:
      return false;
  }
}

bool PickleMachine::run_container(uint8_t opcode) {
  const auto tuple = [&](size_t count) {
    std::vector<uint32_t> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    make({.kind = Kind::kTuple, .items = std::move(items)});
  };
  switch (opcode) {
    case '(':  // MARK
      if (marks_.size() == kPickleMaxNesting) {
        in_.fail_here(ErrorCode::kInvalidFile, "nests deeper than {} levels", kPickleMaxNesting);
      }
      marks_.push_back(stack_.size());
      return true;
    case ')':
      tuple(0);
      return true;  // EMPTY_TUPLE
    case 0x85:
      tuple(1);
      return true;  // TUPLE1
    case 0x86:
      tuple(2);
      return true;  // TUPLE2
    case 0x87:
      tuple(3);
      return true;  // TUPLE3
    case 't':
      make({.kind = Kind::kTuple, .items = pop_to_mark()});
      return true;  // TUPLE
    case ']':
      make({.kind = Kind::kList});
      return true;  // EMPTY_LIST
    case '}':
      make({.kind = Kind::kDict});
      return true;  // EMPTY_DICT
    case 'a':
      extend(Kind::kList, {pop()});
      return true;  // APPEND
    case 'e':
      extend(Kind::kList, pop_to_mark());
      return true;  // APPENDS
    case 'u':
      extend(Kind::kDict, pop_to_mark());
      return true;  // SETITEMS
    case 's': {     // SETITEM
      const uint32_t item = pop(), key = pop();
      extend(Kind::kDict, {key, item});
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::run_name(uint8_t opcode) {
  switch (opcode) {
    case 'c': {  // GLOBAL
      const auto module = read_line();
      make_name(module, read_line());
      return true;
    }
    case 0x93: {  // STACK_GLOBAL
      const PickleValue name = values_[pop()], module = values_[pop()];
      if (name.kind != Kind::kText || module.kind != Kind::kText)
        in_.fail_here(ErrorCode::kInvalidFile, "a name is no text");
      make_name(module.text, name.text);
      return true;
    }
    case 'R':
      reduce();
      return true;  // REDUCE
    case 'b':
      build();
      return true;  // BUILD
    case 'Q':
      load_storage();
      return true;  // BINPERSID
    default:
      return false;
  }
}

void PickleMachine::push(uint32_t value) {
  if (stack_.size() == kPickleMaxValues)
    in_.fail_here(ErrorCode::kInvalidFile, "holds more than {} values", kPickleMaxValues);
  stack_.push_back(value);
}

void PickleMachine::make(PickleValue value) {
  copies_ += value.items.size();
  if (values_.size() == kPickleMaxValues || copies_ > 4 * kPickleMaxValues)
    in_.fail_here(ErrorCode::kInvalidFile, "holds more than {} values", kPickleMaxValues);
  values_.push_back(std::move(value));
  push(static_cast<uint32_t>(values_.size() - 1));
}

uint32_t PickleMachine::pop() {
  const uint32_t value = top();
  stack_.pop_back();
  return value;
}

uint32_t& PickleMachine::top() {
  if (stack_.size() == (marks_.empty() ? 0 : marks_.back()))
    in_.fail_here(ErrorCode::kInvalidFile, "takes a value that is not there");
  return stack_.back();
}

std::vector<uint32_t> PickleMachine::pop_to_mark() {
  if (marks_.empty()) in_.fail_here(ErrorCode::kInvalidFile, "takes a mark that is not there");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  marks_.pop_back();
  std::vector<uint32_t> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  return items;
}

std::string_view PickleMachine::read_text(uint64_t length, uint64_t limit) {
  if (length > limit || length > in_.left()) {
    in_.fail_here(ErrorCode::kInvalidFile, "a string of {} bytes; {} are left, {} allowed", length,
                  in_.left(), limit);
  }
  const auto* begin = reinterpret_cast<const char*>(bytes_.data() + in_.offset());
  in_.skip(length);
  return {begin, length};
}

std::string_view PickleMachine::read_line() {
  const auto* begin = reinterpret_cast<const char*>(bytes_.data() + in_.offset());
  uint64_t length = 0;
  while (in_.read<char>() != '\n') {
    if (++length > kPickleMaxTextBytes)
      in_.fail_here(ErrorCode::kInvalidFile, "a name of more than {} bytes", kPickleMaxTextBytes);
  }
  return {begin, length};
}

void PickleMachine::read_long(uint64_t length) {
  const std::string_view text = read_text(length, 255);
  if (length > sizeof(int64_t)) return make({.kind = Kind::kLong, .text = text});
  uint64_t value = length > 0 && text.back() < 0 ? UINT64_MAX : 0;  // two's complement
  for (size_t i = length; i-- > 0;) value = value << 8 | static_cast<uint8_t>(text[i]);
  make({.kind = Kind::kInteger, .integer = static_cast<int64_t>(value)});
}

void PickleMachine::put(uint64_t key) {
  if (key > kMaxMemoKey || memo_.size() == kPickleMaxValues)
    in_.fail_here(ErrorCode::kInvalidFile, "remembers more than {} values", kPickleMaxValues);
  memo_[key] = top();
}

void PickleMachine::get(uint64_t key) {
  const auto place = memo_.find(key);
  if (place == memo_.end())
    in_.fail_here(ErrorCode::kInvalidFile, "takes memo {}, which nothing was put into", key);
  push(place->second);
}

void PickleMachine::make_name(std::string_view module, std::string_view name) {
  const auto row = std::ranges::find_if(
      kNames, [&](const NameRow& known) { return known.module == module && known.name == name; });
  if (row == kNames.end()) {
    in_.fail_here(ErrorCode::kUnsupported,
                  "names {}.{}, which no tensor needs; nothing of it is carried out. If you trust "
                  "the file, load it with PyTorch and save its state_dict() as safetensors",
                  printable(module), printable(name));
  }
  make({.kind = Kind::kName, .name = row->meaning, .text = row->type});
}

void PickleMachine::extend(Kind kind, const std::vector<uint32_t>& items) {
  PickleValue& container = values_[top()];
  if (container.kind != kind || (kind == Kind::kDict && items.size() % 2 != 0))
    in_.fail_here(ErrorCode::kInvalidFile, "adds to something that is no list or dict");
  copies_ += items.size();
  if (copies_ > 4 * kPickleMaxValues)
    in_.fail_here(ErrorCode::kInvalidFile, "holds more than {} values", kPickleMaxValues);
  container.items.insert(container.items.end(), items.begin(), items.end());
}

void PickleMachine::reduce() {
  const uint32_t arguments_index = pop(), function_index = pop();
  const PickleValue& function = values_[function_index];
  const PickleValue& arguments = values_[arguments_index];
  if (function.kind != Kind::kName || arguments.kind != Kind::kTuple) {
    in_.fail_here(ErrorCode::kUnsupported,
                  "calls something that is no constructor of tensors; it is not carried out");
  }
  const std::vector<uint32_t> items = arguments.items;
  const PickleName name = function.name;
  if (name == kOrderedDict && items.empty()) return make({.kind = Kind::kDict});
  if (name == kSize && items.size() == 1 && values_[items[0]].kind == Kind::kTuple)
    return push(items[0]);
  if (name == kRebuildParameter && items.size() == 3 && values_[items[0]].kind == Kind::kTensor)
    return push(items[0]);
  reduce_tensor(name, items);
}

// Arguments: storage, offset, shape, strides[, requires_grad, hooks[, dtype or metadata ...]]
void PickleMachine::reduce_tensor(PickleName name, const std::vector<uint32_t>& arguments) {
  const size_t least = name == kRebuildTensor     ? 4
                       : name == kRebuildTensorV2 ? 6
                       : name == kRebuildTensorV3 ? 7
                                                  : SIZE_MAX;
  const auto is = [&](size_t i, Kind kind) { return values_[arguments[i]].kind == kind; };
  const bool fits =
      arguments.size() >= least && arguments.size() <= least + 1 && is(0, Kind::kStorage) &&
      is(1, Kind::kInteger) && is(2, Kind::kTuple) && is(3, Kind::kTuple) &&
      (name != kRebuildTensorV3 || (is(6, Kind::kName) && values_[arguments[6]].name == kDType));
  if (!fits) {
    in_.fail_here(ErrorCode::kUnsupported,
                  "calls a constructor with arguments that it does not have in tensors");
  }
  make({.kind = Kind::kTensor,
        .text = name == kRebuildTensorV3 ? values_[arguments[6]].text : std::string_view(),
        .items = {arguments.begin(), arguments.begin() + 4}});
}

// An OrderedDict's attributes (_metadata: the versions of modules), which weights do not need.
void PickleMachine::build() {
  const uint32_t state = pop();
  if (values_[top()].kind != Kind::kDict || values_[state].kind != Kind::kDict) {
    in_.fail_here(ErrorCode::kUnsupported,
                  "sets the state of an object, which no tensor needs; it is not carried out");
  }
}

// ("storage", its type, its key, where it was, how many elements[, view])
void PickleMachine::load_storage() {
  const PickleValue id = values_[pop()];
  const auto is = [&](size_t i, Kind kind) { return values_[id.items[i]].kind == kind; };
  const bool fits =
      id.kind == Kind::kTuple && id.items.size() >= 5 && id.items.size() <= 6 &&
      is(0, Kind::kText) && values_[id.items[0]].text == "storage" && is(1, Kind::kName) &&
      values_[id.items[1]].name == kStorage && is(2, Kind::kText) && is(4, Kind::kInteger) &&
      values_[id.items[4]].integer >= 0 && (id.items.size() == 5 || is(5, Kind::kNone));
  if (!fits)
    in_.fail_here(ErrorCode::kUnsupported, "refers to something else than a storage of its own");
  make({.kind = Kind::kStorage,
        .integer = values_[id.items[4]].integer,
        .text = values_[id.items[2]].text,
        .items = {id.items[1]}});
}

}  // namespace nibble
