// Results of nibble bench, kept in an SQLite 3 file (docs/formats/bench_store.md).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "nibble/bench.h"

namespace nibble {

class SqliteFile;

class BenchStore {
 public:
  // For the results of one call of bench(). A missing file is made by the first append(), so that
  // nothing is left behind when there is none. Errors: kInvalidFile for what is no store,
  // kUnsupported for a store of a newer version, kIo when it cannot be read or written. Such files
  // are not changed.
  BenchStore(const std::filesystem::path& path, const Machine& machine, std::string version,
             std::string label);
  ~BenchStore();

  // Whether results of an earlier run have this label or version; BenchOptions::kLatest: always.
  bool has(std::string_view compare) const;

  // Since the latest result of an earlier run that it can be compared with.
  std::optional<BenchChange> compare(const BenchResult& result, std::string_view compare) const;

  // In one transaction. Waits ten seconds for other writers.
  void append(const BenchResult& result);

 private:
  std::filesystem::path path_;
  Machine machine_;
  std::string version_;
  std::string label_;
  int64_t run_ = 0;                       // its row; 0: not there yet
  std::unique_ptr<SqliteFile> database_;  // null while there is no file
};

}  // namespace nibble
