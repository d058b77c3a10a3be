// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Asks privmemd over the system bus, many times without waiting, and tells how it was answered.
 *
 *	privmem-ask COUNT METHOD [SIZE]
 *
 * With SIZE the method gets a string of so many characters.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

static unsigned long answers, limits, others;
static size_t longest;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *why = sd_bus_message_get_error(m);

	(void)userdata;
	(void)error;
	if (!why)
		answers++;
	else if (strcmp(why->name, SD_BUS_ERROR_LIMITS_EXCEEDED) == 0)
		limits++;
	else if (others++ == 0)
		fprintf(stderr, "%s: %s\n", why->name, why->message);
	if (why && why->message && strlen(why->message) > longest)
		longest = strlen(why->message);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	size_t size = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	char *text = malloc(size + 1);
	sd_bus *bus = NULL;
	int r;

	if (count == 0 || !text || sd_bus_open_system(&bus) < 0)
		return 2;
	memset(text, 'x', size);
	text[size] = '\0';
	for (unsigned long i = 0; i < count; i++)
		if (sd_bus_call_method_async(bus, NULL, "org.privmem1", "/org/privmem1",
					     "org.privmem1.Manager", argv[2], on_answer, NULL,
					     size ? "s" : NULL, text) < 0)
			return 2;
	while (answers + limits + others < count) {
		r = sd_bus_process(bus, NULL);
		if (r < 0)
			return 1;
		if (r == 0)
			sd_bus_wait(bus, UINT64_MAX);
	}
	printf("answers %lu limits %lu others %lu longest %zu\n", answers, limits, others, longest);
	return 0;
}
