#include "flow/bench_store.h"

#include <fmt/chrono.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <ctime>
#include <type_traits>

#include "base/error.h"
#include "base/input_file.h"
#include "base/json.h"
#include "base/statistics.h"

namespace nibble {
namespace {

constexpr int64_t kApplication = 0x4e494242;  // "NIBB", 1313423938 in the schema
constexpr int64_t kVersion = 1;               // there, too
constexpr int kPatience = 10000;              // milliseconds to wait for another writer

constexpr const char* kSchema = R"(
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  time TEXT NOT NULL,
  version TEXT NOT NULL,
  label TEXT NOT NULL,
  cpu TEXT NOT NULL,
  isa TEXT NOT NULL,
  cpus INTEGER NOT NULL);
CREATE TABLE result (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id),
  model TEXT NOT NULL,
  file_hash TEXT NOT NULL,
  load_type TEXT NOT NULL,
  repacked INTEGER NOT NULL,
  type TEXT NOT NULL,
  weight_bytes INTEGER NOT NULL,
  parameters INTEGER NOT NULL,
  threads INTEGER NOT NULL,
  kv_type TEXT NOT NULL,
  test TEXT NOT NULL,
  n_prompt INTEGER NOT NULL,
  n_gen INTEGER NOT NULL,
  n_depth INTEGER NOT NULL,
  n_sequences INTEGER NOT NULL,
  tokens_per_second REAL NOT NULL,
  stddev REAL NOT NULL,
  median REAL NOT NULL,
  samples TEXT NOT NULL,
  limited_by TEXT NOT NULL,
  limit_tokens_per_second REAL NOT NULL,
  share_of_limit REAL NOT NULL,
  load_seconds REAL NOT NULL,
  peak_memory_bytes INTEGER NOT NULL);
CREATE INDEX result_by_test ON result (file_hash, test);
PRAGMA application_id = 1313423938;
PRAGMA user_version = 1;
)";

constexpr const char* kAddRun = "INSERT INTO run VALUES (NULL, ?, ?, ?, ?, ?, ?)";
constexpr const char* kAddResult =
    "INSERT INTO result VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    "?, ?, ?, ?)";
constexpr const char* kFindNamed =
    "SELECT 1 FROM run WHERE id != ?1 AND (label = ?2 OR version = ?2) LIMIT 1";
constexpr const char* kFindEarlier = R"(
SELECT time, version, label, samples, limited_by, limit_tokens_per_second
FROM result JOIN run ON run.id = result.run
WHERE run.id != ?1 AND (?2 = '' OR label = ?2 OR version = ?2)
  AND cpu = ?3 AND isa = ?4 AND cpus = ?5
  AND file_hash = ?6 AND load_type = ?7 AND repacked = ?8 AND threads = ?9 AND kv_type = ?10
  AND test = ?11
ORDER BY result.id DESC LIMIT 1)";

std::string utc_now() { return fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))); }

// A list of speeds, as JSON.
std::vector<double> parse_samples(const std::string& text, const std::string& file) {
  std::vector<double> samples;
  const Json json = parse_json(text, file);
  for (const Json& value : json) {
    if (!value.is_number() || !(value.get<double>() > 0) || std::isinf(value.get<double>()))
      fail(ErrorCode::kInvalidFile, "{}: a sample is {}, not a speed above 0", file, value.dump());
    samples.push_back(value.get<double>());
  }
  if (!json.is_array() || samples.empty())
    fail(ErrorCode::kInvalidFile, "{}: samples are no list of speeds: {}", file, text);
  return samples;
}

}  // namespace

class SqliteFile {
 public:
  explicit SqliteFile(const std::filesystem::path& path) : name_(path.string()) {
    const int status = sqlite3_open_v2(path.c_str(), &handle_,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    if (status != SQLITE_OK) {
      const std::string reason = sqlite3_errmsg(handle_);
      sqlite3_close(handle_);
      fail(ErrorCode::kIo, "{}: cannot open this store: {}", name_, reason);
    }
    sqlite3_busy_timeout(handle_, kPatience);
  }
  ~SqliteFile() { sqlite3_close(handle_); }
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  const std::string& name() const { return name_; }
  sqlite3* handle() const { return handle_; }
  bool is_read_only() const { return sqlite3_db_readonly(handle_, "main") == 1; }

  void execute(const char* statements) const {
    check(sqlite3_exec(handle_, statements, nullptr, nullptr, nullptr));
  }

  // A status that SQLite returned: throws when it is an error.
  void check(int status) const {
    if (status == SQLITE_OK || status == SQLITE_ROW || status == SQLITE_DONE) return;
    const bool is_damaged = status == SQLITE_NOTADB || status == SQLITE_CORRUPT;
    fail(is_damaged || status == SQLITE_ERROR ? ErrorCode::kInvalidFile : ErrorCode::kIo,
         "{}: {}{}; choose another --store", name_,
         is_damaged ? "no SQLite 3 database, or a damaged one: " : "", sqlite3_errmsg(handle_));
  }

 private:
  std::string name_;
  sqlite3* handle_ = nullptr;
};

namespace {

// A statement with its values, and the rows that it gives.
class Statement {
 public:
  template <class... Values>
  Statement(const SqliteFile& file, const char* text, const Values&... values) : file_(file) {
    file_.check(sqlite3_prepare_v2(file.handle(), text, -1, &statement_, nullptr));
    int index = 0;
    (bind(++index, values), ...);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // To the next row, if there is one.
  bool step() {
    const int status = sqlite3_step(statement_);
    file_.check(status);
    return status == SQLITE_ROW;
  }
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  std::string text(int column) const {
    const unsigned char* bytes = sqlite3_column_text(statement_, column);
    return bytes == nullptr ? "" : reinterpret_cast<const char*>(bytes);
  }

 private:
  template <class Value>
  void bind(int index, const Value& value) {
    if constexpr (std::is_integral_v<Value>) {
      file_.check(sqlite3_bind_int64(statement_, index, static_cast<int64_t>(value)));
    } else if constexpr (std::is_floating_point_v<Value>) {
      file_.check(sqlite3_bind_double(statement_, index, value));
    } else {
      const std::string_view text(value);
      file_.check(sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()),
                                    SQLITE_TRANSIENT));
    }
  }

  const SqliteFile& file_;
  sqlite3_stmt* statement_ = nullptr;
};

// False for an empty database, which may become a store. Refuses what is neither.
bool is_store(const SqliteFile& file) {
  // In one statement: another process may be about to make it a store.
  Statement header(file,
                   "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
                   "FROM pragma_application_id, pragma_user_version");
  header.step();
  const int64_t application = header.integer(0), version = header.integer(1);
  const bool is_empty = header.integer(2) == 0;
  if (application == 0 && version == 0 && is_empty) return false;
  if (application != kApplication) {
    fail(ErrorCode::kInvalidFile,
         "{}: a database of another program (application_id {}, expected {}); choose another "
         "--store",
         file.name(), application, kApplication);
  }
  if (version != kVersion) {
    fail(
        version > kVersion ? ErrorCode::kUnsupported : ErrorCode::kInvalidFile,
        "{}: a store of version {}; this program knows version {}; take a newer nibble, or another "
        "--store",
        file.name(), version, kVersion);
  }
  return true;
}

// Rolled back unless it is committed.
class Transaction {
 public:
  explicit Transaction(const SqliteFile& file) : file_(file) { file_.execute("BEGIN IMMEDIATE"); }
  ~Transaction() {
    // When this fails, it is rolled back already, or will be by whoever opens the file next.
    if (is_open_) sqlite3_exec(file_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit() {
    file_.execute("COMMIT");
    is_open_ = false;
  }

 private:
  const SqliteFile& file_;
  bool is_open_ = true;
};

}  // namespace

BenchStore::BenchStore(const std::filesystem::path& path, const Machine& machine,
                       std::string version, std::string label)
    : path_(path), machine_(machine), version_(std::move(version)), label_(std::move(label)) {
  if (is_missing(path)) {
    const auto folder = path.has_parent_path() ? path.parent_path() : ".";
    std::error_code ignored;  // false then
    if (!std::filesystem::is_directory(folder, ignored)) {
      fail(ErrorCode::kIo, "{}: there is no folder {}; choose another --store", path.string(),
           folder.string());
    }
    if (::access(folder.c_str(), W_OK) != 0) {
      fail(ErrorCode::kIo, "{}: no file can be made in this folder: {}; choose another --store",
           path.string(), system_message(errno));
    }
    return;
  }
  database_ = std::make_unique<SqliteFile>(path);
  is_store(*database_);
  if (database_->is_read_only())
    fail(ErrorCode::kIo, "{}: may not be written; choose another --store", path.string());
}

BenchStore::~BenchStore() = default;

bool BenchStore::has(std::string_view compare) const {
  if (compare == BenchOptions::kLatest) return true;
  return database_ && is_store(*database_) &&
         Statement(*database_, kFindNamed, run_, compare).step();
}

std::optional<BenchChange> BenchStore::compare(const BenchResult& result,
                                               std::string_view compare) const {
  if (!database_ || !is_store(*database_)) return std::nullopt;
  const std::string_view name = compare == BenchOptions::kLatest ? "" : compare;
  Statement row(*database_, kFindEarlier, run_, name, machine_.cpu, machine_.isa, machine_.cpus,
                result.file_hash, result.load_type, result.repacked, result.threads, result.kv_type,
                result.test());
  if (!row.step()) return std::nullopt;
  const std::vector<double> before = parse_samples(row.text(3), path_.string());
  const RatioInterval interval = ratio_of_means_95(result.samples, before);
  const bool has_limits = !result.limited_by.empty() && row.text(4) == result.limited_by;
  return BenchChange{
      .time = row.text(0),
      .version = row.text(1),
      .label = row.text(2),
      .mean = summarize(before).mean,
      .change = interval.ratio - 1,
      .low = interval.low - 1,
      .high = interval.high - 1,
      .limit_change = has_limits ? result.limit_tokens_per_second / row.real(5) - 1 : NAN};
}

void BenchStore::append(const BenchResult& r) {
  if (!database_) database_ = std::make_unique<SqliteFile>(path_);
  Transaction transaction(*database_);
  if (!is_store(*database_)) database_->execute(kSchema);
  int64_t run = run_;
  if (run == 0) {
    Statement(*database_, kAddRun, utc_now(), version_, label_, machine_.cpu, machine_.isa,
              machine_.cpus)
        .step();
    run = sqlite3_last_insert_rowid(database_->handle());
  }
  Statement(*database_, kAddResult, run, r.model.string(), r.file_hash, r.load_type, r.repacked,
            r.type, r.weight_bytes, r.parameters, r.threads, r.kv_type, r.test(), r.prompt,
            r.generated, r.depth, r.sequences, r.mean, r.deviation, r.median,
            Json(r.samples).dump(), r.limited_by, r.limit_tokens_per_second, r.share_of_limit,
            r.load_seconds, r.peak_memory_bytes)
      .step();
  transaction.commit();
  run_ = run;
}

}  // namespace nibble
