# SPDX-License-Identifier: GPL-2.0
# The one entry point: "make help" lists what there is. The work is done in tools-testing/.

MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

# make has a CC of its own.
ifeq ($(origin CC),default)
CC :=
endif

export ARCH CPUS MEM ACCEL APPEND KDIR IMPL CONFIG CC HELPERS T LEVEL DURATION CALLS FILTER LIMIT MATRIX ARCHES MUTANTS CHECK SCALE BARE FRESH
export RUNS FROM APPLY STAGES LSMOD REPORT ORIGIN HOSTS ROOMS

sh := tools-testing

define help
Linux 7.3 with kernel/smp.c in Rust. On Debian 12 or 13, as root or with sudo:

  make run      build the kernel, boot it, run the sample in it; installs what is missing
  make test     all checks; T=list shows them, T='litmus kunit' runs some; LEVEL=short or long
  make bench    what calls cost beside C: a table, JSON, a picture; CHECK=1, SCALE=1, LEVEL=;
                in ns with ACCEL=kvm, or BARE=1 on a machine that runs the kernel
  make series   patches for git am, in stages; FROM='Name <mail>', CHECK=1, KDIR=path APPLY=1
  make kernel   build the kernel: build/rust, or build/c with IMPL=c
  make deb      packages of both kernels with Debian's configuration, in build/deb; LSMOD=file: only the
                modules in this output of lsmod
  make shell    a shell in the guest
  make top      boot the kernel, and show its cross-CPU calls, live
  make doc      the pages with the kernel's Sphinx, and rustdoc
  make setup    install what is missing (packages, bindgen, virtme-ng, Sphinx, matplotlib)
  make tree     unpack the kernel tree, link our files into it, apply our hooks
  make untree   take links and hooks out of it again
  make clean    remove build/ (downloads stay in the cache)

  KDIR=path     use this tree of Linux 7.3.y; only links and hooks are put there
  IMPL=c        the kernel's own kernel/smp.c, else the same
  CONFIG=small  a small configuration that builds fast (build/rust-small)
  ARCH=arm64    kernel, run, shell and test for arm64 in QEMU (build/rust-arm64)
  CC=gcc        built by GCC and the GNU binutils, not by LLVM (build/rust-gcc)
  CPUS=4 MEM=1G the size of the guest; ACCEL=tcg or kvm; APPEND='...': more kernel parameters
  LIMIT=seconds when a guest counts as hung
  REPORT=folder where "make test" puts KTAP, JUnit and JSON for KCIDB, from a CI called ORIGIN

Logs are in build/logs, results in build/results.
endef

verbs := setup tree untree kernel deb run shell top bench doc series test clean
.PHONY: help $(verbs)

help: ; $(info $(help)) @:
setup: ; @$(sh)/setup.sh && echo "ok: all is installed"
tree: ; @$(sh)/setup.sh && $(sh)/tree.sh
untree: ; @$(sh)/tree.sh undo
kernel: ; @$(sh)/kernel.sh
deb: ; @$(sh)/deb.sh
run: ; @$(sh)/run.sh
shell: ; @$(sh)/shell.sh
top: ; @LIVE=1 $(sh)/top.sh
bench: ; @$(sh)/$(if $(BARE),bare,bench).sh
doc: ; @$(sh)/doc.sh
series: ; @$(sh)/series.sh
test: ; @$(sh)/test.sh
clean: ; @$(sh)/clean.sh

# The verbs that there were before, for one release.
now := seeds:guarantees history:regressions plot:latency debug:debuggers
old := kunit torture kvm-scf selftests unload boots apic matrix arches tracing deviations size count lint misuse model \
	litmus mutants robust seeds history plot debug
.PHONY: $(old)
$(old): ; $(error smp: make $@ is now: make test T=$(or $(patsubst $@:%,%,$(filter $@:%,$(now))),$@))
