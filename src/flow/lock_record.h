// The lock record: what a quantized file was made from and how, in its own metadata, so that
// `nibble verify` can make it again. Keys: docs/formats/lock.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/metadata.h"
#include "base/sha256.h"
#include "flow/model_source.h"
#include "flow/pieces.h"
#include "flow/plan_outputs.h"
#include "flow/quantize_request.h"
#include "nibble/quantize.h"

namespace nibble {

constexpr std::string_view kLockPrefix = "nibble.lock.";

struct LockRecord {
  std::string nibble;         // version
  std::string source;         // its file name
  std::string recipe;         // name of the type, or of the .recipe file
  std::string recipe_sha256;  // of the recipe's text
  std::string recipe_text;    // of one that the user wrote
  std::string effort;
  std::string method;          // where it is not the one that imatrix_sha256 implies: "gptq"
  std::string order;           // of columns: "activation"; empty: natural
  std::string scaling;         // "awq"; empty: none
  std::string imatrix_sha256;  // empty: none
  // Parts of names that choose among the matrix's entries, as in QuantizeOptions.
  std::vector<std::string> include_weights;
  std::vector<std::string> exclude_weights;
  std::string prune_layers;  // "3,5": layers of the source that were left out
  // For each tensor of the file, SHA-256 over the SHA-256s of the pieces (flow/pieces.h) of its
  // source, as hexadecimal digits.
  std::vector<std::string> tensor_sha256;
};

// Writes what is known before the work begins into the output's metadata, over what the source
// had; the hashes are zeros. A copy keeps what the source had, unless its layers are others. The
// output says what its record is also where the options want none in the file.
void add_lock_record(const ModelSource& model, const QuantizeOptions& options,
                     const QuantizeRequest& request, PlannedOutput& output);
// Replaces the hashes in `metadata`, which has a lock record.
void set_tensor_hashes(Metadata& metadata, std::vector<std::string> hashes);
// std::nullopt when there is none. Error kInvalidFile when one is damaged.
std::optional<LockRecord> find_lock_record(const Metadata& metadata);

// The lock record in `metadata` as "name: value" lines, without hashes of the source and texts of
// several lines.
std::string describe_lock_record(const Metadata& metadata);

// The hash of each tensor from those of its pieces.
std::vector<std::string> tensor_hashes(const std::vector<Piece>& pieces,
                                       std::span<const Sha256Digest> of_piece, size_t tensors);

// Whether only the hashes of the source may differ.
bool same_but_hashes(const Metadata& a, const Metadata& b);

std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace nibble
