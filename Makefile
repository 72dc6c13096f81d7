# voxc: `make help` lists the targets.
CC      ?= gcc
BUILD   ?= build
CFLAGS  ?= -O2 -g
WARN     = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
INCLUDE  = -Iir -Icompiler -Icodegen -Iruntime -Iruntime/program -I$(BUILD)/gen
LIBS     = -lyaml -lprotobuf-c -lm -lpthread
PROGRAM_LIBS = -lnifti2 -lznz -lpng -lz -lm -lpthread

COMPILER = $(wildcard ir/*.c codegen/*.c) $(filter-out compiler/main.c,$(wildcard compiler/*.c))
RUNTIME  = $(wildcard runtime/*.c)
SEGMENT  = $(wildcard runtime/program/*.c)
EMBEDDED = $(sort $(wildcard runtime/*.[ch] runtime/program/*.[ch] codegen/templates/*) LICENSE)
GEN      = $(BUILD)/gen/onnx.pb-c.c $(BUILD)/gen/embedded.c
obj      = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
TESTS    = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))

.PHONY: all help clean
.SECONDARY:
all: $(BUILD)/voxc  ## build build/voxc

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' Makefile

$(BUILD)/voxc: $(call obj,compiler/main.c) $(BUILD)/libvoxc.a
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

$(BUILD)/gen/onnx.pb-c.c:
	@mkdir -p $(@D)
	protoc-c --proto_path=/usr/include/onnx --c_out=$(@D) /usr/include/onnx/onnx.proto
$(BUILD)/gen/embedded.c: scripts/embed.sh $(EMBEDDED)
	@mkdir -p $(@D)
	sh scripts/embed.sh $(EMBEDDED) > $@

# A test links everything of ours; a test file may name extra flags in a first line "// flags: ...".
$(BUILD)/tests/%: tests/%.c $(BUILD)/libvoxc.a $(BUILD)/libprogram.a $(BUILD)/libruntime.a
	@mkdir -p $(@D)
	$(CC) $(WARN) $(CFLAGS) $(INCLUDE) -Itests $(shell sed -n '1s,^// flags: ,,p' $<) -MMD -MP -o $@ $< $(BUILD)/libvoxc.a $(BUILD)/libprogram.a $(BUILD)/libruntime.a -lcmocka $(LIBS) $(PROGRAM_LIBS)

clean:  ## remove everything that was built
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
