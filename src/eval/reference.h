// What a model is compared with: position by position, in the order of read_windows().
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/input_file.h"
#include "eval/score.h"
#include "eval/windows.h"
#include "file/compact_file.h"
#include "file/logits_file.h"
#include "infer/session.h"

namespace nibble {

class Reference {
 public:
  virtual ~Reference() = default;
  // What WindowVisitor::on_read is told.
  virtual void on_read(std::span<const uint32_t>, int64_t, int64_t) {}
  // One score a row; rows are shared among the threads.
  virtual void compare(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) = 0;
  virtual bool is_sampled() const { return false; }
};

// Another model, that reads the same windows.
class ModelReference : public Reference {
 public:
  // For windows of at most `context` tokens. What is referred to must outlive the object.
  ModelReference(const ModelConfig& config, const Weights& weights, ThreadPool& pool,
                 int64_t context, KvTypes kv_types)
      : session_(config, weights, pool, context, kv_types) {}

  void on_read(std::span<const uint32_t> tokens, int64_t position, int64_t wanted) override;
  void compare(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) override;

 private:
  Session session_;
  int64_t compared_ = 0;  // of the rows wanted of what was read last
};

// A file. Of its rows a few are in memory at a time.
class StoredReference : public Reference {
 public:
  // What it was made of: windows side by side.
  struct Text {
    int64_t context;
    int64_t vocab_size;
    int64_t windows;
    std::optional<uint64_t> vocabulary_hash;  // where the format has one
    std::vector<uint32_t> tokens;             // windows * context
  };
  virtual Text text() const = 0;
};

// Opens either format. nullptr when it is none by its first bytes.
std::unique_ptr<StoredReference> open_stored_reference(const std::filesystem::path& path);

// Of llama-perplexity.
class LogitsReference : public StoredReference {
 public:
  explicit LogitsReference(const std::filesystem::path& path)
      : file_(path), logits_(file_.map(), file_.name()) {}

  Text text() const override;
  void compare(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) override;

 private:
  InputFile file_;
  LogitsFile logits_;
  std::vector<float> log_probabilities_;  // a row for each thread
};

class CompactReference : public StoredReference {
 public:
  explicit CompactReference(const std::filesystem::path& path)
      : file_(path), compact_(file_.map(), file_.name()) {}

  Text text() const override;
  void compare(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) override;
  bool is_sampled() const override { return true; }

 private:
  InputFile file_;
  CompactFile compact_;
};

}  // namespace nibble
