# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Everything is built below build/. The real work is in scripts/, tests/vm/ and
# userspace/Makefile; this file says what needs what.

# Where what goes: userspace/Makefile
PREFIX	= /usr
DESTDIR	?=
BUILD	= $(CURDIR)/build
TREE	= $(BUILD)/image/tree

export PREFIX

help:
	@echo 'make demo           show what privmem does, in a virtual machine'
	@echo 'make test           all tests: userspace, guest, soak, patch queue and harness'
	@echo 'make test-debug     the guest tests on the debug kernel (KASAN, lockdep, ...)'
	@echo 'make test-sanitize  the guest tests of userspace on programs with ASan and UBSan in'
	@echo 'make test-kills     kill privmemd at each system call of a grant; slow'
	@echo 'make matrix         compile the queue where what it builds on is missing'
	@echo 'make queue-boot     build and boot a kernel after each patch of the queue'
	@echo 'make mutants        take one protection after the other out of kernel and userspace: a test has to notice'
	@echo 'make compare        selftests of the kernel and stress-ng: our kernel has to do as the stock one'
	@echo 'make bench          what a page and a cgroup cost, on the stock kernel and on ours'
	@echo 'make fuzz           libFuzzer on the parsers, MINUTES=10 a target'
	@echo 'make soak           everything at once in a guest; MINUTES=20, SEED= repeats a run'
	@echo
	@echo 'make deps           install the Debian packages the rest needs (as root)'
	@echo 'make kernel         build the privmem kernel; also kernel-stock, kernel-debug'
	@echo 'make userspace      build privmemd, privmemctl, the generator and the hook'
	@echo 'make image          make the Debian 12 guest image; also image-debian13'
	@echo 'make vm             a shell command in a guest: make vm CMD="uname -a"'
	@echo
	@echo 'make tree           a git tree in build/tree: base, new files, patches'
	@echo 'make export         write the commits of build/tree back to the queue'
	@echo 'make lint           static checks of shell, C and the queue'
	@echo
	@echo 'make install        install userspace; takes PREFIX= (/usr) and DESTDIR='
	@echo 'make uninstall      remove what install with the same variables installs'
	@echo 'make clean          remove build/, but for the unpacked base kernel and the'
	@echo '                    downloaded guest; make distclean removes these as well'

deps:
	@scripts/deps

kernel: kernel-privmem
kernel-stock kernel-privmem kernel-debug: kernel-%: deps
	@scripts/kernel-build $*

userspace: deps
	@$(MAKE) --no-print-directory -C userspace BUILD=$(BUILD)/userspace all

# What a guest holds beside Debian: the project as `make install` leaves it, and
# the programs of tests/guest. mkimage does nothing if that is what it was.
$(TREE): userspace
	@rm -rf $@
	@mkdir -p $@ $(BUILD)/guest
	@$(MAKE) --no-print-directory install DESTDIR=$@ PREFIX=/usr
	@$(MAKE) --no-print-directory -s -C tests/guest O=$(BUILD)/guest install DESTDIR=$@

image: image-debian12
image-debian12 image-debian13: image-%: $(TREE)
	@tests/vm/mkimage $* $(TREE)

vm: kernel image
	@tests/vm/run $(VMFLAGS) -- sh -c "$${CMD:-uname -a; privmemctl status}"

demo: kernel image
	@tests/demo/run

test: deps
	@tests/all

# The guest's tests on a kernel that looks for its own bugs; slow.
test-debug: kernel-debug kernel-stock image
	@PRIVMEM_KERNEL=debug tests/vm/suite

# A guest whose programs look for their own bugs.
SANITIZE = $(BUILD)/sanitize
image-sanitize: image
	@rm -rf $(SANITIZE)/tree
	@mkdir -p $(SANITIZE)
	@cp -a $(TREE) $(SANITIZE)/tree
	@$(MAKE) --no-print-directory -s -C userspace BUILD=$(SANITIZE)/userspace SANITIZED=yes DESTDIR=$(SANITIZE)/tree install
	@install -D -m 644 tests/sanitize/privmemd.conf -t $(SANITIZE)/tree/usr/lib/systemd/system/privmemd.service.d
	@install -d -m 1777 $(SANITIZE)/tree/var/log/privmem-sanitizer
	@tests/vm/mkimage debian12-sanitize $(SANITIZE)/tree

test-sanitize: kernel kernel-stock image-sanitize
	@PRIVMEM_GUEST=debian12-sanitize tests/vm/suite tests/bats/5*.bats

# privmemd is killed at each call, not only at those that write.
test-kills: kernel image
	@PRIVMEM_KILLS=1 tests/vm/suite tests/bats/59-killed.bats

matrix: kernel
	@tests/queue/matrix

queue-boot: kernel image
	@tests/queue/boot

mutants: kernel image
	@tests/mutants/run
	@tests/mutants/userspace

compare: kernel kernel-stock image
	@tests/compare/run

bench: kernel kernel-stock image
	@tests/bench/run

SEED	?=
soak: kernel image
	@tests/soak/run $(if $(SEED),--seed $(SEED)) $(or $(MINUTES),20)

fuzz: deps
	@tests/fuzz/run --seconds $$(($(or $(MINUTES),10) * 60))

tree: deps
	@scripts/tree

export:
	@scripts/export $(FROM)

lint: deps
	@scripts/lint

install:
	@$(MAKE) --no-print-directory -C userspace BUILD=$(BUILD)/userspace \
		DESTDIR=$(abspath $(DESTDIR)) PREFIX=$(PREFIX) install

# install into an empty place says which files are ours. Directories go with the last file in them,
# but for those that Debian itself makes, empty.
uninstall:
	@rm -rf $(BUILD)/uninstall
	@$(MAKE) --no-print-directory install DESTDIR=$(BUILD)/uninstall >/dev/null
	@cd $(BUILD)/uninstall && find . ! -type d -printf '%P\n' | while read -r file; do \
		rm -f "$(abspath $(DESTDIR))/$$file" && echo "removed $(DESTDIR)/$$file"; done
	@cd $(BUILD)/uninstall && find . -mindepth 1 -depth -type d -printf '%P\n' | \
		grep -vxE 'usr|usr/local(/(bin|lib|share|share/man))?|opt|etc(/dbus-1(/system.d)?)?' | \
		while read -r directory; do \
			rmdir --ignore-fail-on-non-empty "$(abspath $(DESTDIR))/$$directory" 2>/dev/null || :; done
	@rm -rf $(BUILD)/uninstall

clean:
	@rm -rf $(BUILD)/userspace $(BUILD)/guest $(BUILD)/kernel $(BUILD)/test $(BUILD)/kept $(BUILD)/vm $(BUILD)/mutants $(BUILD)/compare $(BUILD)/bench $(BUILD)/fuzz $(SANITIZE) \
		$(BUILD)/tree $(BUILD)/image/*/root.* $(TREE) \
		$(BUILD)/linux/*/out* $(BUILD)/linux/privmem $(BUILD)/linux/privmem.files

distclean:
	@rm -rf $(BUILD)

.PHONY: help deps kernel kernel-stock kernel-privmem kernel-debug userspace $(TREE) image \
	image-debian12 image-debian13 image-sanitize vm demo test test-debug test-sanitize test-kills matrix queue-boot mutants compare \
	bench soak fuzz tree export lint install uninstall clean distclean
