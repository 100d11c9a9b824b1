// What every format loses on the matrices of lab-7m, beside llama.cpp: no tensor may lose more than
// there, and the table of all of it (tests/regression/lab-7m.md) is committed, so that review sees
// every change of an encoder. Encoding is the same to the bit on every machine, so the table is
// compared as text. NIBBLE_UPDATE=1 writes it anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/attributes.h"
#include "base/threads.h"
#include "codec/codec.h"
#include "file/imatrix.h"
#include "flow/model_source.h"
#include "plan/plan.h"
#include "support/files.h"

namespace nibble {
namespace {

const std::filesystem::path kTable = repository_path("tests/regression/lab-7m.md");
constexpr Effort kEfforts[] = {Effort::kFast, Effort::kDefault, Effort::kBest};

struct Matrix {
  std::string name;
  uint64_t rows;
  uint64_t columns;
  std::vector<float> x;
  std::vector<float> importance;  // of the columns; empty: none
};

std::vector<Matrix> read_matrices() {
  const ModelSource model = open_model(kLab7m);
  const ImportanceMatrix importance =
      read_imatrix(repository_path("tests/golden/lab-7m/imatrix.dat"));
  std::vector<Matrix> matrices;
  const auto& tensors = model.tensors().tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!is_quantizable(tensors[i])) continue;
    Matrix matrix = {tensors[i].name, tensors[i].shape.rows(), tensors[i].shape.columns(), {}, {}};
    std::vector<std::byte> stored(tensors[i].bytes());
    model.tensors().read_rows(i, 0, matrix.rows, stored);
    matrix.x.resize(tensors[i].shape.count());
    codec(tensors[i].type)
        .decode(stored.data(), static_cast<int64_t>(matrix.x.size()), matrix.x.data());
    if (const auto found = importance.entries.find(matrix.name); found != importance.entries.end())
      matrix.importance = found->second.means();
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}

// |decoded - x| / |x|, each square weighted by the columns' importance when `weighted`.
double relative_error(const Matrix& m, const std::vector<float>& decoded, bool weighted) {
  double off = 0;
  double all = 0;
  for (size_t i = 0; i < decoded.size(); ++i) {
    const double w = weighted ? m.importance[i % m.columns] : 1.0;
    const double difference = static_cast<double>(m.x[i]) - decoded[i];
    off += w * difference * difference;
    all += w * m.x[i] * m.x[i];
  }
  return std::sqrt(off / all);
}

double error_of(const Matrix& m, DType type, Effort effort, bool weighted) {
  const uint64_t row_bytes = m.columns / block_weights(type) * block_bytes(type);
  std::vector<std::byte> row(row_bytes);
  std::vector<float> decoded(m.x.size());
  const auto columns = static_cast<int64_t>(m.columns);
  for (uint64_t r = 0; r < m.rows; ++r) {
    codec(type).encode(m.x.data() + r * m.columns, weighted ? m.importance.data() : nullptr,
                       columns, effort, row.data());
    codec(type).decode(row.data(), columns, decoded.data() + r * m.columns);
  }
  return relative_error(m, decoded, weighted);
}

// llama.cpp's errors by (type, tensor), plain or weighted with importance.
using Reference = std::map<std::pair<std::string, std::string>, double>;
Reference read_reference(bool weighted) {
  std::ifstream file(repository_path("tests/golden/lab-7m/llama_cpp_errors.tsv"));
  EXPECT_TRUE(file.good());
  Reference reference;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string type, tensor, with_importance, plain, by_importance;
    fields >> type >> tensor >> with_importance >> plain >> by_importance;
    if ((with_importance == "1") != weighted || (weighted && by_importance == "-")) continue;
    reference[{type, tensor}] = std::stod(weighted ? by_importance : plain);
  }
  return reference;
}

struct Cell {
  double ours[3] = {};  // by effort: means over the tensors that llama.cpp has the type for, or all
  std::optional<double> reference;
};

struct Job {
  const Matrix* matrix;
  std::optional<double> reference;
  double ours[3] = {};
};

std::vector<Job> jobs_of(const std::vector<Matrix>& matrices, DType type, bool weighted,
                         const Reference& reference) {
  std::vector<Job> compared;
  std::vector<Job> all;
  for (const Matrix& m : matrices) {
    if (weighted && m.importance.empty()) continue;
    const auto found = reference.find({std::string(dtype_name(type)), m.name});
    all.push_back({&m, std::nullopt, {}});
    if (found != reference.end()) compared.push_back({&m, found->second, {}});
  }
  return compared.empty() ? all : compared;
}

Cell measure(const std::vector<Matrix>& matrices, DType type, bool weighted,
             const Reference& reference, ThreadPool& pool) {
  std::vector<Job> jobs = jobs_of(matrices, type, weighted, reference);
  pool.run(static_cast<int64_t>(jobs.size()), 1, [&](int64_t begin, int64_t, int) {
    Job& job = jobs[static_cast<size_t>(begin)];
    for (int e = 0; e < 3; ++e) job.ours[e] = error_of(*job.matrix, type, kEfforts[e], weighted);
  });
  Cell cell;
  for (const Job& job : jobs) {
    for (int e = 0; e < 3; ++e) cell.ours[e] += job.ours[e] / static_cast<double>(jobs.size());
    if (!job.reference) continue;
    cell.reference = cell.reference.value_or(0) + *job.reference / static_cast<double>(jobs.size());
    EXPECT_LE(job.ours[1], *job.reference * 1.000005)  // they are given in six digits
        << dtype_name(type) << ", " << job.matrix->name << (weighted ? ", with importance" : "");
  }
  if (cell.reference) {
    EXPECT_LE(cell.ours[0], *cell.reference * 1.000005) << dtype_name(type) << ", fast";
  }
  EXPECT_LE(cell.ours[1], cell.ours[0]) << dtype_name(type);
  EXPECT_LE(cell.ours[2], cell.ours[1]) << dtype_name(type);
  return cell;
}

std::string to_text(const Cell& cell) {
  std::string text;
  for (const double error : cell.ours) text += fmt::format(" {:.5f} |", error);
  if (!cell.reference) return text + " | |";
  return text + fmt::format(" {:.5f} | {:.1f} % |", *cell.reference,
                            100 * (cell.ours[1] / *cell.reference - 1));
}

constexpr std::string_view kHeading =
    "# What each type loses on lab-7m\n\n"
    "Relative RMSE, |decoded - f16| / |f16|, as the mean over the matrices that llama.cpp's "
    "figures "
    "(Feb 2025) name for the type, else over all.\nWeighted: encoded with the importance of "
    "tests/golden/lab-7m/imatrix.dat, squares weighted by it. The last column compares "
    "--effort default with\nllama.cpp. Made by regression_tests with NIBBLE_UPDATE=1.\n\n"
    "| type | bits per weight | fast | default | best | llama.cpp | | weighted: fast | default | "
    "best | llama.cpp | |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n";

TEST(Lab7mErrors, AreBelowTheReferenceAndThoseOfTheTable) {
#ifdef NIBBLE_IS_SANITIZED
  GTEST_SKIP() << "takes minutes in instrumented code";
#endif
  const auto matrices = read_matrices();
  ASSERT_EQ(matrices.size(), 44u);
  const Reference plain = read_reference(false);
  const Reference weighted = read_reference(true);
  ThreadPool pool(0);
  std::string table(kHeading);
  for (const DType type : all_dtypes()) {
    if (block_weights(type) == 1) continue;  // floats round
    table += fmt::format("| {} | {} |{}{}\n", dtype_name(type), bits_per_weight(type),
                         to_text(measure(matrices, type, false, plain, pool)),
                         to_text(measure(matrices, type, true, weighted, pool)));
  }
  if (std::getenv("NIBBLE_UPDATE") != nullptr) std::ofstream(kTable) << table;
  EXPECT_EQ(read_file(kTable), table) << "an encoder changed: NIBBLE_UPDATE=1 regression_tests "
                                         "writes the table, and its difference goes into review";
}

}  // namespace
}  // namespace nibble
