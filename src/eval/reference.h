// What a model is compared with: position by position, in the order of read_windows().
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/input_file.h"
#include "eval/score.h"
#include "eval/windows.h"
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

// A file of llama-perplexity. Of the file a few rows are in memory at a time.
class LogitsReference : public Reference {
 public:
  explicit LogitsReference(const std::filesystem::path& path)
      : file_(path), logits_(file_.map(), file_.name()) {}

  const LogitsFile& logits() const { return logits_; }
  void compare(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) override;

 private:
  InputFile file_;
  LogitsFile logits_;
  std::vector<float> log_probabilities_;  // a row for each thread
};

}  // namespace nibble
