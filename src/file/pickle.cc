#include "file/pickle.h"

#include <array>
#include <optional>

#include "base/error.h"
#include "file/pickle_machine.h"
#include "file/weight_files.h"

namespace nibble {
namespace {

using Kind = PickleValue::Kind;

PickledStorage read_storage(const PickleMachine& machine, const PickleValue& storage) {
  return {std::string(storage.text), std::string(machine.value(storage.items[0]).text),
          static_cast<uint64_t>(storage.integer)};
}

std::vector<uint64_t> read_sizes(const PickleMachine& machine, const PickleValue& tuple,
                                 const std::string& where) {
  std::vector<uint64_t> sizes;
  for (const uint32_t item : tuple.items) {
    const PickleValue& size = machine.value(item);
    if (size.kind != Kind::kInteger || size.integer < 0) {
      fail(ErrorCode::kInvalidFile, "{}: shape and strides must be integers from 0", where);
    }
    sizes.push_back(static_cast<uint64_t>(size.integer));
  }
  return sizes;
}

PickledTensor read_tensor(const PickleMachine& machine, std::string_view name,
                          const PickleValue& tensor, const std::string& file_name) {
  const std::string where = fmt::format("{}: tensor {}", file_name, printable(name));
  const PickledStorage storage = read_storage(machine, machine.value(tensor.items[0]));
  const int64_t offset = machine.value(tensor.items[1]).integer;
  PickledTensor read{std::string(name),
                     storage.key,
                     storage.type.empty() ? std::string(tensor.text) : storage.type,
                     storage.elements,
                     static_cast<uint64_t>(offset),
                     read_sizes(machine, machine.value(tensor.items[2]), where),
                     read_sizes(machine, machine.value(tensor.items[3]), where)};
  if (offset < 0 || read.shape.size() != read.strides.size() || read.type.empty()) {
    fail(ErrorCode::kInvalidFile, "{}: offset, shape and strides do not fit together", where);
  }
  if (storage.type.empty()) {  // counted in bytes
    const uint64_t bytes = stored_type_bits(read.type).value() / 8;
    if (storage.elements % bytes != 0)
      fail(ErrorCode::kInvalidFile, "{}: its storage ends within an element", where);
    read.storage_elements /= bytes;
  }
  return read;
}

bool holds_tensors(const PickleMachine& machine, const PickleValue& dict) {
  for (size_t i = 1; i < dict.items.size(); i += 2) {
    if (machine.value(dict.items[i]).kind == Kind::kTensor) return true;
  }
  return false;
}

// The dict itself, or the one that training programs put the weights into.
const PickleValue& find_state_dict(const PickleMachine& machine, const PickleValue& dict) {
  if (holds_tensors(machine, dict)) return dict;
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    const std::string_view key = machine.value(dict.items[i]).text;
    const PickleValue& inner = machine.value(dict.items[i + 1]);
    const bool named = key == "state_dict" || key == "model" || key == "module";
    if (named && inner.kind == Kind::kDict && holds_tensors(machine, inner)) return inner;
  }
  return dict;
}

}  // namespace

PickledTensors read_pickled_tensors(std::span<const std::byte> bytes,
                                    const std::string& file_name) {
  PickleMachine machine(bytes, file_name);
  const PickleValue& whole = machine.value(machine.run());
  if (whole.kind != Kind::kDict) {
    fail(ErrorCode::kUnsupported,
         "{}: holds something else than a state dict (names with their tensors)", file_name);
  }
  PickledTensors read{.tensors = {}, .storages = {}, .bytes = machine.offset()};
  const PickleValue& dict = find_state_dict(machine, whole);
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    const PickleValue& key = machine.value(dict.items[i]);
    const PickleValue& tensor = machine.value(dict.items[i + 1]);
    if (tensor.kind != Kind::kTensor) continue;
    if (key.kind != Kind::kText)
      fail(ErrorCode::kInvalidFile, "{}: the name of a tensor is no text", file_name);
    read.tensors.push_back(read_tensor(machine, key.text, tensor, file_name));
  }
  for (const PickleValue& value : machine.values()) {
    if (value.kind == Kind::kStorage) read.storages.push_back(read_storage(machine, value));
  }
  return read;
}

uint64_t read_pickled_integer(std::span<const std::byte> bytes, const std::string& file_name,
                              std::string& value) {
  PickleMachine machine(bytes, file_name);
  const PickleValue& read = machine.value(machine.run());
  value.assign(read.kind == Kind::kLong ? read.text : std::string_view());
  if (read.kind == Kind::kInteger) {
    for (int i = 0; i < 8; ++i) value += static_cast<char>(read.integer >> (8 * i) & 255);
  }
  return machine.offset();
}

uint64_t read_pickled_strings(std::span<const std::byte> bytes, const std::string& file_name,
                              std::vector<std::string>& values) {
  PickleMachine machine(bytes, file_name);
  const PickleValue& list = machine.value(machine.run());
  if (list.kind != Kind::kList) fail(ErrorCode::kInvalidFile, "{}: expected a list", file_name);
  for (const uint32_t item : list.items) {
    if (machine.value(item).kind != Kind::kText)
      fail(ErrorCode::kInvalidFile, "{}: expected a list of texts", file_name);
    values.emplace_back(machine.value(item).text);
  }
  return machine.offset();
}

uint64_t skip_pickle(std::span<const std::byte> bytes, const std::string& file_name) {
  PickleMachine machine(bytes, file_name);
  machine.run();
  return machine.offset();
}

}  // namespace nibble
