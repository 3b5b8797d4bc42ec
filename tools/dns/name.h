/* SPDX-License-Identifier: MIT */
/* Domain names as RFC 1035 has them on the wire: labels with their lengths, and a 0. */
#ifndef TOOLS_DNS_NAME_H
#define TOOLS_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_NAME_BYTES_MAX = 255, DNS_LABEL_BYTES_MAX = 63 };

struct dns_name {
    uint8_t size; /* the 0 included */
    uint8_t bytes[DNS_NAME_BYTES_MAX];
};

/* In lower case, which is how names are compared. NULL, or what is wrong. "." is the root; what
 * does not end with a dot is below `origin`, and "@" is that; NULL: there is none. */
const char *dns_name_read(struct dns_name *name, const char *text, size_t size,
                          const struct dns_name *origin);

/* From the front of a message's rest, in lower case: how many bytes it takes, 0: it is none, or
 * points elsewhere. */
size_t dns_name_take(struct dns_name *name, const uint8_t *bytes, size_t size);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* `name` is `origin` or below it. */
bool dns_name_is_within(const struct dns_name *name, const struct dns_name *origin);
/* Without its first label; false: it is the root. */
bool dns_name_parent(const struct dns_name *name, struct dns_name *parent);

#endif
