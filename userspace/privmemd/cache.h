/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file a unit below /run/privmem/units, for what no cgroup file can hold: the
 * reservation of a unit that is active without a cgroup. Cgroup files and unit
 * files win wherever they say something, and all that is lost with the cache is
 * how much "all that is left" was.
 */
#ifndef PRIVMEM_CACHE_H
#define PRIVMEM_CACHE_H

#define CACHE_DIR "/run/privmem/units"

typedef void (*cache_visit_t)(const char *unit, const char *text, void *userdata);

int cache_open(const char *path, int *ret);
int cache_put(int dir_fd, const char *unit, const char *text);
void cache_drop(int dir_fd, const char *unit);
void cache_walk(int dir_fd, cache_visit_t visit, void *userdata);

#endif
