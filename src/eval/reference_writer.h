// Storing what a model predicts, as a reference for others.
#pragma once

#include <span>
#include <vector>

#include "eval/score.h"
#include "file/compact_file.h"
#include "file/logits_file.h"

namespace nibble {

class ReferenceWriter {
 public:
  virtual ~ReferenceWriter() = default;
  // Rows, in any order, with their scores (`nll` is looked at); they are shared among the threads.
  virtual void write(const ScoredRows& rows, std::span<const Score> scores, ThreadPool& pool) = 0;
  virtual void commit() = 0;  // all rows were written; without it no file appears
};

// In llama-perplexity's format.
class LogitsWriter : public ReferenceWriter {
 public:
  LogitsWriter(const std::filesystem::path& path, const LogitsLayout& layout,
               std::span<const uint32_t> tokens)
      : file_(path, layout, tokens) {}

  void write(const ScoredRows& rows, std::span<const Score> scores, ThreadPool& pool) override;
  void commit() override { file_.commit(); }

 private:
  LogitsFileWriter file_;
};

// A compact reference; the same seed draws the same samples, on any number of threads.
class CompactWriter : public ReferenceWriter {
 public:
  CompactWriter(const std::filesystem::path& path, const CompactLayout& layout,
                std::span<const uint32_t> tokens, uint64_t seed)
      : layout_(layout), file_(path, layout, tokens), seed_(seed) {}

  void write(const ScoredRows& rows, std::span<const Score> scores, ThreadPool& pool) override;
  void commit() override { file_.commit(); }

 private:
  CompactLayout layout_;
  CompactFileWriter file_;
  uint64_t seed_;
  std::vector<float> logits_;  // a row for each thread
};

}  // namespace nibble
