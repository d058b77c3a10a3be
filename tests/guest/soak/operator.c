// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The operator: takes nodes and the swap file away and brings them back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <unistd.h>

#include "soak.h"

#define SWAP_FILE "/var/tmp/privmem-swap"

static char dax_name[3][64];

void find_dax(void)
{
	char path[128], text[64];
	int i, nid;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/sys/bus/dax/devices/dax%d.0/target_node", i);
		if (read_file(path, text, sizeof(text)))
			continue;
		nid = atoi(text);
		if (nid == 1 || nid == 2)
			snprintf(dax_name[nid], sizeof(dax_name[nid]), "dax%d.0", i);
	}
	if (!*dax_name[1] || !*dax_name[2]) {
		fprintf(stderr, "privmem-soak: nodes 1 and 2 are not both dax devices\n");
		exit(2);
	}
}

static int write_state(int nid, const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/state", dax_name[nid]);
	return write_file(path, value);
}

static bool is_private(int nid)
{
	char text[64];

	if (read_file("/sys/devices/system/node/has_private_memory", text, sizeof(text)))
		return false;
	/* "1-2", "1", "2" or nothing */
	return strchr(text, '0' + nid) != NULL;
}

/* Busy while a page is pinned, or new ones come as fast as others leave. */
static void do_offline(int nid)
{
	int err = write_state(nid, "offline");

	count(OP_OFFLINE, !err);
	if (err && err != -EBUSY)
		complain("offline: %s", strerrorname_np(-err));
	if (err && !is_private(nid))
		complain("offline was refused and node %d is gone", nid);
	if (!err && is_private(nid))
		complain("node %d is offline and private", nid);
	sleep_usec(random_below(50000));
	err = write_state(nid, "online");
	count(OP_ONLINE, !err);
	if (err || !is_private(nid))
		complain("online: %d, node %d is %sprivate", err, nid, is_private(nid) ? "" : "not ");
}

/* Cannot fail; what is in use stays private, and is adopted. */
static void do_unbind(int nid)
{
	int err = write_file("/sys/bus/dax/drivers/kmem/unbind", dax_name[nid]);

	if (err)
		complain("unbind: %s", strerrorname_np(-err));
	count(OP_UNBIND, !is_private(nid));
	sleep_usec(random_below(50000));
	err = write_file("/sys/bus/dax/drivers/kmem/bind", dax_name[nid]);
	if (err || !is_private(nid))
		complain("bind: %d, node %d is %sprivate", err, nid, is_private(nid) ? "" : "not ");
	count(OP_BIND, !err);
}

static void do_swapoff(void)
{
	if (swapoff(SWAP_FILE)) {
		if (errno != ENOMEM && errno != EINTR)
			complain("swapoff: %s", strerrorname_np(errno));
		count(OP_SWAPOFF, false);
		return;
	}
	count(OP_SWAPOFF, true);
	if (swapon(SWAP_FILE, 0))
		complain("swapon: %s", strerrorname_np(errno));
}

void operator(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	random_seed(seed ^ 0x09e);
	while (!atomic_load(&shared->stop)) {
		switch (random_below(8)) {
		case 0 ... 2: do_offline(1 + random_below(2)); break;
		case 3 ... 4: do_unbind(1 + random_below(2)); break;
		case 5: do_swapoff(); break;
		default: do_census(); break;
		}
		sleep_usec(20000 + random_below(150000));
	}
	_exit(0);
}
