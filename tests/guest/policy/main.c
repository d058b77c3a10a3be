// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-policy VERB ARGUMENT... - one question about memory policies
 *
 * Each verb makes one system call, or one and what it takes to set it up, and
 * prints one line: the name of the error, or what came of it.
 *
 *	set MODE NODES			set_mempolicy(): the mode and nodes that hold then
 *	bind MODE NODES			mbind() of one page: the same
 *	home MODE NODES HOME		mbind(), then set_mempolicy_home_node()
 *	mapped MODE NODES PATH ACCESS	mbind() of a mapping of a file; ACCESS is
 *					rw or ro, then -shared or -private
 *	allowed				get_mempolicy(MPOL_F_MEMS_ALLOWED)
 *	remap MODE NODES MODE NODES	touch 4 pages under the first policy, mbind
 *					with MPOL_MF_MOVE to the second: where they are
 *	move MODE NODES NODE...		touch a page for each NODE under the policy,
 *					move_pages() the n-th to the n-th: the statuses
 *	movefile PATH NODE		the same for a page of a file
 *	migrate MODE NODES FROM TO	touch 4 pages, migrate_pages(): its result, and
 *					where they are
 *	migratepid PID FROM TO		migrate_pages() of another process: its result
 *	read NODES BYTES		read(2) of /dev/zero into memory bound there
 *	mlock NODES BYTES		mlock() of such memory
 *	populate NODES BYTES		madvise(MADV_POPULATE_WRITE) of such memory
 *	advise NODES BYTES ADVICE	touch such memory, madvise() it, check what it
 *					held: where it is; ADVICE may be several with a +
 *					between them, process-cold is process_madvise()
 *	longterm NODES BYTES		touch such memory and register it with io_uring as
 *					a fixed buffer, which pins it: where it is
 *	longterm-unmapped NODES BYTES	the same without touching it
 *	fallocate NODES BYTES		fallocate() of a memfd whose mapping is bound there
 *	swapin NODES BYTES CGROUP	touch ordinary memory, page it out, reclaim what
 *					the swap cache keeps of it in our cgroup, bind it,
 *					read it: where it is
 *	movechild CGROUP MODE NODES NODE...
 *					as move, of the memory of a child in that cgroup
 *	movebatch CGROUP NODE		4 shared pages, the second touched by a child in
 *					that cgroup: move_pages() of all to NODE
 *	remapfile PATH NODE		mbind() of 4 pages of a file with MPOL_MF_MOVE to a
 *					node: where they are
 *	migratefile PATH FROM TO	migrate_pages() with 4 pages of a file mapped
 *	odirect NODES PATH		read 16 pages with O_DIRECT into such memory:
 *					where they are
 *	hugetlb NODES			touch a huge page of hugetlb bound there
 *	kernelmem NODES			set_mempolicy(), then make the kernel allocate:
 *					pipes, sockets, files, page tables; holds it
 *	splithuge NODES PAGES		touch one byte of a huge page, unmap its last PAGES
 *					and drop caches: where the rest is
 *	halfhuge NODES			touch a huge page, give back its first half: where
 *					the rest is; holds it
 *	uffdcopy NODES BYTES		UFFDIO_COPY into such memory: bytes copied, how it
 *					ended, where it is
 *	uffdmove NODES BYTES		UFFDIO_MOVE of such memory into some of no policy:
 *					the same
 *	vmwrite NODES BYTES		process_vm_writev() to a child that touched the
 *					first half of such memory: the same
 *	device NODES			touch a huge and a small page, have a driver move
 *					both: how that ended and where they are, each
 *	poison NODES ADVICE		touch 4 pages, poison the third or take it offline
 *					(hard, soft): its pfn, where they are, which
 *					cannot be read; holds what is left
 *	balance NODES BYTES		touch, bind to default again and read this and
 *					some ordinary memory for ever in two threads;
 *					at the end: where it is
 *	fork NODES BYTES CGROUP		touch, fork, move the child to the cgroup, let it
 *					write: how it ended, and whether ours is intact
 *
 * MODE is default, preferred, bind, interleave, local, many or weighted, with
 * +static, +relative, +balancing. NODES is a list such as 1,2 or "-" for none.
 * What holds prints "ready" and waits for the end of its standard input.
 */
#include <string.h>

#include "policy.h"

static const struct verb {
	const char *name;
	int nr_args;
	int (*run)(char **args);
} verbs[] = {
	{ "set", 2, verb_set },
	{ "bind", 2, verb_bind },
	{ "home", 3, verb_home },
	{ "mapped", 4, verb_mapped },
	{ "allowed", 0, verb_allowed },
	{ "remap", 4, verb_remap },
	{ "move", -3, verb_move },
	{ "movefile", 2, verb_movefile },
	{ "migrate", 4, verb_migrate },
	{ "migratepid", 3, verb_migratepid },
	{ "read", 2, verb_read },
	{ "mlock", 2, verb_mlock },
	{ "populate", 2, verb_populate },
	{ "advise", 3, verb_advise },
	{ "longterm", 2, verb_longterm },
	{ "longterm-unmapped", 2, verb_longterm_unmapped },
	{ "fallocate", 2, verb_fallocate },
	{ "swapin", 3, verb_swapin },
	{ "fork", 3, verb_fork },
	{ "movechild", -4, verb_movechild },
	{ "movebatch", 2, verb_movebatch },
	{ "remapfile", 2, verb_remapfile },
	{ "migratefile", 3, verb_migratefile },
	{ "odirect", 2, verb_odirect },
	{ "hugetlb", 1, verb_hugetlb },
	{ "kernelmem", 1, verb_kernelmem },
	{ "splithuge", 2, verb_splithuge },
	{ "halfhuge", 1, verb_halfhuge },
	{ "uffdcopy", 2, verb_uffdcopy },
	{ "uffdmove", 2, verb_uffdmove },
	{ "vmwrite", 2, verb_vmwrite },
	{ "device", 1, verb_device },
	{ "poison", 2, verb_poison },
	{ "balance", 2, verb_balance },
};

int main(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2)
		usage();
	for (verb = verbs; verb < verbs + sizeof(verbs) / sizeof(verbs[0]); verb++) {
		if (strcmp(argv[1], verb->name))
			continue;
		if (verb->nr_args >= 0 ? argc - 2 != verb->nr_args : argc - 2 < -verb->nr_args)
			usage();
		return verb->run(argv + 2);
	}
	usage();
	return 2;
}
