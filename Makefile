# A thin front for CMake: `make` lists what there is. SETUP=true skips the installation of packages.
JOBS  ?= $(shell nproc)
SETUP ?= tools/setup.sh
BUILD  = cmake --build -j $(JOBS) --preset
CTEST  = ctest -j $(JOBS) --preset

.PHONY: help build demo test bench format clean

help:
	@echo "make build    build/release: the bitseer command and library"
	@echo "make demo     build, then analyse a small network on Fashion-MNIST"
	@echo "make test     all tests; again under the address, undefined and thread sanitizers"
	@echo "make bench    speed of the kernels and against other programs"
	@echo "make format   clang-format of all C files"
	@echo "make clean    remove build/"

build:
	$(SETUP)
	cmake --preset release -DBSR_TESTS=OFF
	$(BUILD) release

demo: build
	tools/demo.sh

test:
	$(SETUP) test
	cmake --preset release -DBSR_TESTS=ON -DBSR_WERROR=ON
	$(BUILD) release
	$(CTEST) release
	cmake --preset asan-ubsan
	$(BUILD) asan-ubsan
	$(CTEST) asan-ubsan -LE long
	cmake --preset tsan
	$(BUILD) tsan
	$(CTEST) tsan -L threads --no-tests=error

bench:
	$(SETUP) bench
	cmake --preset release -DBSR_TESTS=ON
	$(BUILD) release
	bench/run.sh

format:
	tools/check-format.sh --fix

clean:
	rm -rf build
