# SPDX-License-Identifier: GPL-2.0
# The one entry point: "make help" lists what there is. The work is done in tools-testing/.

MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

export CPUS MEM ACCEL APPEND KDIR IMPL CONFIG DURATION CALLS FILTER LIMIT MATRIX ARCHES MUTANTS SHORT LONG CHECK SCALE

sh := tools-testing

define help
Linux 7.3 with kernel/smp.c in Rust. On Debian 12 or 13, as root or with sudo:

  make run       build the kernel, boot it, run the sample in it (does all set-up that is missing)
  make test      all checks: lint, documentation, KUnit, doctests, torture, sample, boots with parameters

The parts of these, one by one:

  make setup     install what is missing (packages, bindgen, virtme-ng, Sphinx, matplotlib); it says what
  make tree      unpack the kernel tree, link our files into it, apply our hooks
  make kernel    build it (build/rust, or build/c with IMPL=c)
  make shell     an interactive shell in the built kernel
  make kunit     the in-kernel tests and the doctests        FILTER='smp*' for some suites
  make torture   scftorture of the tree, and calls of all families with a ledger  DURATION=60 seconds, CALLS=1000000
  make kvm-scf   the tree's kvm.sh --torture scf: builds and runs its scenarios; long  DURATION=3 minutes, IMPL=c
  make selftests membarrier, hotplug, rseq, memory maps of many threads: the same as C?  SHORT=1, LONG=1
  make unload    unloads a module while what it has sent is under way, and fails its initialization
  make boots     boots with nosmp, maxcpus=2, nr_cpus=3, nox2apic, csdlock_debug=1
  make seeds     the promises of the mailing-list threads, with controls  SHORT=1, LONG=1
  make bench     what calls cost, beside the C kernel: a table, JSON, a picture  SHORT=1, CHECK=1, SCALE=1, LONG=1
  make plot      the latency of calls between each two CPUs, as pictures in build/plot
  make apic      which functions send x2APIC IPIs in the running kernel, in each APIC mode
  make matrix    the tests on the small kernel with other options and sanitizers; long  MATRIX='rt calls'
  make arches    compiles the kernel crate for each architecture that has Rust; long  ARCHES='s390 um'
  make history   failures that kernel/smp.c has had, looked for in the Rust kernel and in the C one
  make tracing   traces and probes the functions of kernel/smp.c by name, in both kernels
  make debug     drgn on a dump, and bpftrace in a guest, find what they find with C; builds two kernels: long
  make size      the size of our object, and of the one that C makes
  make deviations what tools see of C's objects and not, or not so, of ours: symbols, types, messages
  make count     lines, unsafe blocks, public items and tests of the API for Rust
  make lint      formatting, checkpatch, shellcheck, clippy, symbols, warnings
  make model     our code in all executions with loom, by chance with shuttle, with real threads  SHORT=1, LONG=1
  make litmus    what the memory model of the kernel says about each ordering, with herd7
  make mutants   breaks the code on purpose, and looks whether it is noticed; long  MUTANTS='csd-*'
  make robust    disturbs the harness itself: Ctrl-C, a full disk, a broken hook, a killed QEMU; long  SHORT=1
  make misuse    what the API for Rust must refuse: each misuse gives its error, its twin compiles
  make doc       our page with the kernel's Sphinx, and rustdoc, both without warnings; compiles the examples of pages
  make untree    take links and hooks out of the tree again (KDIR=path)
  make clean     remove build/ (downloads stay in the cache)

Variables:

  KDIR=path      use this tree of Linux 7.3.y; only links and hooks are put there
  IMPL=c         the kernel's own kernel/smp.c instead of ours, else the same
  CONFIG=small   a small configuration that builds fast (build/rust-small)
  CPUS=4 MEM=1G  the guest's size
  ACCEL=tcg|kvm  instead of trying /dev/kvm
  APPEND='...'   more kernel parameters
  LIMIT=seconds  when a guest counts as hung

Logs are in build/logs.
endef

.PHONY: help setup tree untree kernel run shell test kunit torture unload boots seeds bench plot apic matrix arches history tracing debug size deviations count lint misuse doc model litmus mutants robust kvm-scf selftests clean

help: ; $(info $(help)) @:

setup: ; @$(sh)/setup.sh && echo "ok: all is installed"
tree: ; @$(sh)/setup.sh && $(sh)/tree.sh
untree: ; @$(sh)/tree.sh undo
kernel: ; @$(sh)/kernel.sh
run: ; @$(sh)/run.sh
shell: ; @$(sh)/shell.sh
kunit: ; @$(sh)/kunit.sh
torture: ; @$(sh)/torture.sh
kvm-scf: ; @$(sh)/kvm-scf.sh
selftests: ; @$(sh)/selftests.sh
unload: ; @$(sh)/unload.sh
boots: ; @$(sh)/boots.sh
seeds: ; @$(sh)/seeds.sh
bench: ; @$(sh)/bench.sh
plot: ; @$(sh)/plot.sh
apic: ; @$(sh)/apic.sh
matrix: ; @$(sh)/matrix.sh
arches: ; @$(sh)/arches.sh
history: ; @$(sh)/history.sh
size: ; @$(sh)/size.sh
deviations: ; @$(sh)/deviations.sh
tracing: ; @$(sh)/tracing.sh
debug: ; @$(sh)/debug.sh
count: ; @$(sh)/count.sh
lint: ; @$(sh)/lint.sh
misuse: ; @$(sh)/misuse.sh
doc: ; @$(sh)/doc.sh
model: ; @$(sh)/model.sh
litmus: ; @$(sh)/litmus.sh
mutants: ; @$(sh)/mutants.sh
robust: ; @$(sh)/robust.sh
test: ; @$(sh)/test.sh
clean: ; @$(sh)/clean.sh
