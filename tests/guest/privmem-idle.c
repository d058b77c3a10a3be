// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-idle - does nothing, in as little memory and time as a process can
 *
 * For units of which there are thousands. It ends with a signal.
 */
#include <unistd.h>

int main(void)
{
	pause();
	return 0;
}
