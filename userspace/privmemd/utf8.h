/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_UTF8_H
#define PRIVMEM_UTF8_H

void utf8_clean(char *text);

#endif
