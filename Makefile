# The front door. `make demo` and `make test` are all a newcomer needs; both start from a bare machine.
# Settings:  make test JOBS=4      make fuzz FUZZ_SECONDS=600

JOBS         ?= $(shell nproc)
FUZZ_SECONDS ?= 60
PYTHON       ?= python3

.DEFAULT_GOAL := help
.PHONY: help deps deps-check deps-aarch64 deps-peers deps-browser build demo test test-asan test-tsan test-clang test-aarch64 test-peers test-browser fuzz bench \
        format check clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps:  ## install the packages that building needs and that are missing (packages.txt)
	@tools/install_packages.sh build
deps-check:
	@tools/install_packages.sh build check
deps-aarch64:
	@tools/install_packages.sh build aarch64
deps-peers:
	@tools/install_packages.sh build peers
deps-browser:
	@tools/install_packages.sh build browser

build: deps  ## build only; the binary is build/release/nibble
	@tools/build.sh release $(JOBS)

demo: deps  ## quantize the bundled model to four types, compare them, continue a prompt
	@tools/build.sh release $(JOBS) nibble
	@$(PYTHON) tools/demo.py

test: build  ## build and run every test; the last line counts them
	@$(PYTHON) tools/run_tests.py --build build/release

comma := ,
programs_of = $(addsuffix _tests,$(subst $(comma), ,$(1)))
test-asan: deps  ## every test under AddressSanitizer and UndefinedBehaviorSanitizer (ASAN_ROOMS=file,text: unit tests of these)
	@tools/build.sh asan $(JOBS) $(call programs_of,$(ASAN_ROOMS))
	@$(PYTHON) tools/run_tests.py --build build/asan --kinds $(if $(ASAN_ROOMS),unit --rooms $(ASAN_ROOMS),unit$(comma)cli)

test-tsan: deps  ## the unit tests under ThreadSanitizer
	@tools/build.sh tsan $(JOBS)
	@$(PYTHON) tools/run_tests.py --build build/tsan --kinds unit

test-clang: deps-check  ## every test, built by Clang 14
	@tools/build.sh clang $(JOBS)
	@$(PYTHON) tools/run_tests.py --build build/clang --kinds unit,cli

AARCH64_ROOMS := codec,kernel,file,plan,infer
test-aarch64: deps-aarch64  ## unit tests built for AArch64, emulated: a machine with I8MM, and one without
	@tools/build.sh aarch64 $(JOBS) $(call programs_of,$(AARCH64_ROOMS))
	@$(PYTHON) tools/run_tests.py --build build/aarch64 --kinds unit --rooms $(AARCH64_ROOMS) --isas i8mm \
	  --emulator 'qemu-aarch64-static -cpu max'
	@$(PYTHON) tools/run_tests.py --build build/aarch64 --kinds unit --rooms $(AARCH64_ROOMS) --isas neon \
	  --emulator 'qemu-aarch64-static -cpu neoverse-n1'
	@$(PYTHON) tools/check_isa_symbols.py --build build/aarch64

test-peers: build deps-peers  ## our files in the gguf package and in llama.cpp, and theirs here (installs from PyPI)
	@tests/peers/run.sh

test-browser: build deps-browser  ## the HTML report in headless Chromium: widths, light and dark, contrast, print
	@$(PYTHON) tests/browser/report_test.py -v

fuzz: deps-check  ## each libFuzzer target for FUZZ_SECONDS
	@tools/build.sh fuzz $(JOBS) fuzzers
	@tools/fuzz.sh $(FUZZ_SECONDS)

bench: build  ## speed and memory on a synthetic model (LLAMA_BENCH=, LLAMA_QUANTIZE=... measure llama.cpp, too)
	@$(PYTHON) bench/run.py

format: deps-check  ## rewrite every C++ file in the project's style
	@$(PYTHON) tools/check_format.py --fix

check: build deps-check  ## style, layers, ISA symbols, sizes
	@$(PYTHON) tools/check_format.py
	@$(PYTHON) tools/check_layers.py
	@$(PYTHON) tools/check_isa_symbols.py --build build/release
	@$(PYTHON) tools/size_report.py

clean:  ## remove everything that was built
	rm -rf build
