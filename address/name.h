/* SPDX-License-Identifier: MIT */
/* Names of hosts and domains. They compare without regard to the case of ASCII letters. */
#ifndef ADDRESS_NAME_H
#define ADDRESS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAME_TEXT_SIZE = 256, /* a name of DNS as text, with its NUL; longer ones cannot be asked for */
    NAME_LABEL_MAX = 63,
};

/* One or more printable characters and no blank, as the document wants the name of a host. */
bool name_is_visible(const char *name);

bool name_equals(const char *a, const char *b);
uint32_t name_hash(const char *name);

/* Whether there is a dot before the last character, and whether that is one. */
bool name_has_inner_dot(const char *name);
bool name_ends_in_dot(const char *name);

/* Whether DNS can carry it: labels of 1 to 63 characters, 253 in all; one dot at the end is fine.
 */
bool name_fits_dns(const char *name);

#endif
