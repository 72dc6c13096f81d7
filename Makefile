# voxc: `make help` lists the targets. CC, CFLAGS, LDFLAGS, BUILD, PREFIX, DESTDIR and SKIP (tests) can be given.
ifeq ($(origin CC),default)
CC       = gcc
endif
BUILD   ?= build
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
WARN     = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
# The rooms of the tree, from what is used to what uses it; tests/layers.sh says which may include which.
PLAN     = $(addprefix compiler/plan,/memory /graph /cpu/conv /cpu /gpu /interp) compiler/plan
ROOMS    = ir ir/shape ir/text ir/interp ir/verify compiler/base compiler/read/weights compiler/read/onnx compiler/read/yaml \
           compiler/read/nnunet compiler/read/monai compiler/read $(PLAN) compiler/tile codegen/base codegen/c codegen/cuda codegen/onnx codegen compiler
RUNTIMES = runtime/shared runtime/core runtime/cpu runtime/volume runtime/program
# Of the libraries of image formats, those that are there (scripts/setup.sh test): tests of the others are skipped.
FOUND    = $(if $(wildcard /usr/include/$(1) /usr/include/*/$(1)),$(2))
FORMATS  = -DVOX_WITH_NIFTI -DVOX_WITH_ZLIB $(call FOUND,tiffio.h,-DVOX_WITH_TIFF) $(call FOUND,libdeflate.h,-DVOX_WITH_DEFLATE) \
           $(call FOUND,serial/hdf5.h,-DVOX_WITH_HDF5 -isystem /usr/include/hdf5/serial)
INCLUDE  = $(addprefix -I,$(ROOMS) $(RUNTIMES)) -I$(BUILD)/gen -isystem /usr/include/nifti $(FORMATS)
LIBS     = -lyaml -lprotobuf-c -lm -lpthread
PROGRAM_LIBS = -lnifti2 -lznz -lpng $(call FOUND,tiffio.h,-ltiff) $(call FOUND,libdeflate.h,-ldeflate) \
           $(call FOUND,serial/hdf5.h,-lhdf5_serial) -lz -lm -lpthread

SHARED   = $(wildcard runtime/shared/*.c)
COMPILER = $(filter-out compiler/main.c,$(wildcard $(ROOMS:=/*.c))) $(SHARED)
RUNTIME  = $(wildcard runtime/core/*.c runtime/volume/*.c)
SEGMENT  = $(wildcard runtime/program/*.c) $(SHARED)
EMBEDDED = $(wildcard runtime/*/*.[ch] runtime/*/*.def runtime/cuda/*.cuh codegen/templates/*) LICENSE
FORMATTED = $(wildcard $(ROOMS:=/*.[ch]) runtime/*/*.[ch] runtime/cuda/*.cuh tests/*.[ch] tests/*/*.[ch] tests/cuda/*.cu tests/cuda/*.cuh)
# For whoever uses voxc; in their folders, so that links between them lead there.
DOCUMENTS = README.md compiler/README.md compiler/plan/README.md compiler/read/onnx/README.md ir/IR.md models/README.md \
            runtime/cpu/README.md runtime/cuda/README.md runtime/program/README.md tests/README.md tests/bench/README.md
CUDA    ?= /usr/local/cuda
obj      = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
TESTS    = $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter-out $(SKIP:%=tests/%.c),$(wildcard tests/test_*.c)))
FUZZERS  = $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzzers/%,$(wildcard tests/fuzz/fuzz_*.c))
SANITIZE = -O1 -g1 -DKERNELS_SHARE=10 -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer

.PHONY: all objects help tests test quick demo golden golden-check asan clang fuzz fuzzers valgrind layers format format-check peers bench bench-volumes fuzz-graphs cuda-plans gpusim gpu-check mutants install uninstall clean
.SECONDARY:
.DELETE_ON_ERROR:

all: $(BUILD)/voxc  ## build the compiler, build/voxc
tests: $(TESTS) $(BUILD)/tests/fuzz_graphs  ## build the test programs, build/tests/*
demo:  ## install what is missing, compile two networks and segment a head
	+@sh scripts/demo.sh
test:  ## install what is missing, build and run every test
	+@sh tests/run.sh
quick: all  ## what a change is likely to break first, in two minutes at most
	@sh tests/quick.sh
golden: all  ## rewrite generated/, the checked-in bundles, and the instructions counted, with today's compiler
	@sh scripts/golden.sh $(BUILD)/voxc
	@sh tests/instructions.sh --update $(BUILD)/voxc || [ $$? = 77 ]
golden-check: all  ## fail if generated/ is not what today's compiler writes
	@sh scripts/golden.sh --check $(BUILD)/voxc
asan:  ## build everything with the address and undefined-behaviour sanitizers, in build/asan
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS='$(SANITIZE)' SLOW=-O3 all tests fuzzers
clang:  ## let clang's warnings see every source; builds nothing
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC='clang -fsyntax-only' CFLAGS= SLOW=-O3 objects
objects: $(call obj,compiler/main.c $(COMPILER) $(RUNTIME) $(SEGMENT) $(wildcard tests/fuzz_graphs/*.c)) $(TESTS:=.o)
fuzz: all  ## fuzz each reader and the compiler, TIME seconds per target (60), with clang; finds stay in build/fuzz
	@sh tests/fuzz/fuzz.sh $(or $(TIME),60)
fuzzers: $(FUZZERS)
valgrind: all  ## run the compiler under valgrind
	@sh tests/valgrind.sh $(BUILD)/voxc
layers:  ## check which folder includes which
	@sh tests/layers.sh
format:  ## format the C sources in place
	clang-format -i $(FORMATTED)
format-check:  ## fail if `make format` would change anything, the goldens of target c included
	@clang-format --dry-run -Werror $(FORMATTED) $(wildcard generated/unet3d/*.[ch] generated/unet3d_small/*.[ch])
peers:  ## a Python environment with ONNX Runtime, for the tests that compare with it
	@sh scripts/peers.sh $(BUILD)/peers
bench: all  ## time and peak memory of networks beside their peers; BENCH=--help lists options
	@sh tests/bench.sh $(BENCH)
bench-volumes: all  ## time and peak memory of whole volumes beside their peers; BENCH=--help lists options
	@sh tests/bench.sh volumes $(BENCH)
fuzz-graphs: $(BUILD)/tests/fuzz_graphs  ## N random networks through the compiler, C of them as compiled C; SEED=S
	@$(BUILD)/tests/fuzz_graphs -n $(or $(N),1000) -c $(or $(C),0) -s $(or $(SEED),1) -o $(BUILD)/fuzz-graphs
cuda-plans: all  ## ask cuDNN, without a GPU, for the plans of every model's convolutions
	@sh tests/cuda/plans.sh $(BUILD)
gpu-check: all  ## on a machine with a GPU: run, compare and time the CUDA target there; one report
	@sh tests/cuda/gpu-check.sh
mutants: all  ## break one property after the other: the test that each names must fail
	@sh tests/mutants.sh
help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' Makefile

$(BUILD)/voxc: $(call obj,compiler/main.c) $(BUILD)/libvoxc.a $(BUILD)/libruntime.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libvoxc.a: $(call obj,$(COMPILER)) $(BUILD)/gen/onnx.pb-c.o $(BUILD)/gen/embedded.o
	rm -f $@ && ar rcs $@ $^
$(BUILD)/libruntime.a: $(call obj,$(RUNTIME))
	rm -f $@ && ar rcs $@ $^
$(BUILD)/libprogram.a: $(call obj,$(SEGMENT))
	rm -f $@ && ar rcs $@ $^

$(BUILD)/obj/%.o: %.c | $(BUILD)/gen/onnx.pb-c.c
	@mkdir -p $(@D)
	$(CC) $(WARN) $(CFLAGS) $(INCLUDE) -MMD -MP -c -o $@ $<
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(CC) -std=c11 $(CFLAGS) $(INCLUDE) -c -o $@ $<

# Everything waits for this file, so it is the place to say what is missing.
$(BUILD)/gen/onnx.pb-c.c:
	@command -v protoc-c >/dev/null && printf '#include <%s>\n' yaml.h protobuf-c/protobuf-c.h | $(CC) -E - >/dev/null 2>&1 \
	  || { echo 'voxc: libyaml, protobuf-c or protoc-c is missing; install them with: sh scripts/setup.sh' >&2; exit 1; }
	@mkdir -p $(@D)
	protoc-c --proto_path=/usr/include/onnx --c_out=$(@D) /usr/include/onnx/onnx.proto
$(BUILD)/gen/embedded.c: scripts/embed.sh $(EMBEDDED)
	@mkdir -p $(@D)
	sh scripts/embed.sh $(EMBEDDED) > $@

# A test links everything of ours; a test file may name extra flags in a first line "// flags: ...".
FLAGS_OF = $(filter-out $(SLOW),$(shell sed -n '1s,^// flags: ,,p' tests/$*.c))
$(BUILD)/tests/%.o: tests/%.c | $(BUILD)/gen/onnx.pb-c.c
	@mkdir -p $(@D)
	$(CC) $(WARN) $(CFLAGS) $(INCLUDE) -Itests $(filter-out -rdynamic,$(FLAGS_OF)) -MMD -MP -c -o $@ $<
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libvoxc.a $(BUILD)/libprogram.a $(BUILD)/libruntime.a
	$(CC) $(CFLAGS) $(FLAGS_OF) $(LDFLAGS) -o $@ $(BUILD)/tests/$*.o $(BUILD)/libvoxc.a $(BUILD)/libprogram.a $(BUILD)/libruntime.a -lcmocka $(LIBS) $(PROGRAM_LIBS)

# Random networks: tests/fuzz_graphs/main.c.
$(BUILD)/tests/fuzz_graphs: $(call obj,$(wildcard tests/fuzz_graphs/*.c)) $(BUILD)/libvoxc.a $(BUILD)/libruntime.a
	$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $^ $(LIBS) -ldl

# A fuzz target runs the files that it is given; with FUZZ_MAIN=-fsanitize=fuzzer it is libFuzzer's.
FUZZ_MAIN = tests/fuzz/replay.c
$(BUILD)/fuzzers/%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(BUILD)/libvoxc.a $(BUILD)/libprogram.a $(BUILD)/libruntime.a
	@mkdir -p $(@D)
	$(CC) $(WARN) $(CFLAGS) $(INCLUDE) -MMD -MP -o $@ $< $(FUZZ_MAIN) $(BUILD)/libvoxc.a $(BUILD)/libprogram.a $(BUILD)/libruntime.a $(LIBS) $(PROGRAM_LIBS)

# The simulated GPU, for LD_PRELOAD: tests/gpusim/README.md.
GPUSIM   = $(filter-out tests/gpusim/test_% tests/gpusim/fake_%,$(wildcard tests/gpusim/*.c)) compiler/base/json.c ir/arena.c ir/diag.c
GPUSIM_FLAGS = $(WARN) -O3 -g -march=native -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno \
               -fno-strict-aliasing -Iir -Icompiler/base -Iruntime/shared -isystem $(CUDA)/include
gpusim: $(BUILD)/gpusim/libgpusim.so $(BUILD)/gpusim/libcuda.so.1  ## build the simulated GPU that runs CUDA programs on the CPU
$(BUILD)/gpusim/libgpusim.so: $(patsubst %.c,$(BUILD)/gpusim/%.o,$(GPUSIM))
	$(CC) -shared -o $@ $^ -lm -lpthread -ldl
$(BUILD)/gpusim/libcuda.so.1: $(BUILD)/gpusim/tests/gpusim/fake_driver.o
	$(CC) -shared -o $@ $^
$(BUILD)/gpusim/tests/gpusim/ptx_cvt.o: GPUSIM_FLAGS += -frounding-math
$(BUILD)/gpusim/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(GPUSIM_FLAGS) -MMD -MP -c -o $@ $<

install: all  ## install voxc, the models and the documents under DESTDIR/PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/voxc/models $(DESTDIR)$(PREFIX)/share/doc/voxc
	install $(BUILD)/voxc $(DESTDIR)$(PREFIX)/bin
	install -m 644 models/*.yaml models/README.md $(DESTDIR)$(PREFIX)/share/voxc/models
	install -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/voxc
	for d in $(DOCUMENTS); do install -m 644 -D $$d $(DESTDIR)$(PREFIX)/share/doc/voxc/$$d || exit 1; done
uninstall:  ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/voxc
	rm -rf $(DESTDIR)$(PREFIX)/share/voxc $(DESTDIR)$(PREFIX)/share/doc/voxc
clean:  ## remove everything that was built
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj $(BUILD)/tests $(BUILD)/fuzzers $(BUILD)/gpusim -name '*.d' 2>/dev/null)
