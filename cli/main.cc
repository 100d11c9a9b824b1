// nibble: the command line. Each verb is a file beside this one.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/error.h"

namespace {

constexpr int kFailure = 1;
constexpr int kWrongUsage = 2;
constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells have it

int status_of(nibble::ErrorCode code) {
  if (code == nibble::ErrorCode::kCancelled) return kInterrupted;
  return code == nibble::ErrorCode::kUsage ? kWrongUsage : kFailure;
}

int report(const std::string& message, int status) {
  nibble::cli::end_progress();
  fmt::print(stderr, "error: {}\n", message);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  nibble::cli::catch_interrupts();
  CLI::App app("Nibble makes large language models small without hurting them.", "nibble");
  app.set_version_flag("--version", NIBBLE_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  nibble::cli::add_quantize(app);
  nibble::cli::add_plan(app);
  nibble::cli::add_inspect(app);
  nibble::cli::add_calibrate(app);
  nibble::cli::add_evaluate(app);
  nibble::cli::add_run(app);
  nibble::cli::add_embed(app);
  nibble::cli::add_bench(app);
  nibble::cli::add_compare(app);
  nibble::cli::add_tokenize(app);
  nibble::cli::add_split(app);
  nibble::cli::add_join(app);
  nibble::cli::add_verify(app);
  nibble::cli::add_recommend(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return report(std::string(error.what()) +
                      "\nRun nibble --help, or nibble VERB --help, for what there is.",
                  kWrongUsage);
  } catch (const nibble::Error& error) {
    return report(error.what(), status_of(error.code()));
  } catch (const std::bad_alloc&) {
    return report("out of memory", kFailure);
  } catch (const std::exception& error) {
    return report(error.what(), kFailure);
  }
  return 0;
}
