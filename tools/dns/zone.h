/* SPDX-License-Identifier: MIT */
/*
 * What a responder knows: rows of a zone file, by name. The file is a small part of RFC 1035's
 * master files:
 *
 *   $ORIGIN example.test.        a zone begins; names without a dot at the end are below it
 *   $TTL 300                     for rows that have none of their own
 *   www   60 IN A 192.0.2.1      name, seconds, class, type and value; seconds and IN may be absent
 *   @        AAAA 2001:db8::1    @ is the origin
 *            TXT "two" "texts"   begins with a blank: has the name of the one before
 *   alias    CNAME www           a name, relative as well
 *   1.2.0.192.in-addr.arpa. PTR www.example.test.
 *   ; a comment, to the end of the line
 */
#ifndef TOOLS_DNS_ZONE_H
#define TOOLS_DNS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"

struct dns_row {
    struct dns_row *next; /* of the same name, as they stand in the file */
    uint16_t type;
    uint16_t size; /* of its data */
    uint32_t ttl_s;
    uint8_t data[];
};

/* A name that has rows, or names below it. */
struct dns_node {
    struct dns_node *next; /* of the same place in the table */
    struct dns_name name;
    struct dns_row *rows;
};

struct dns_zone;

/* 0; -EINVAL with a text that begins with LINE:COLUMN, or -ENOMEM. */
int dns_zone_read(struct dns_zone **zone, const char *text, size_t size);
/* The same of a file, whose name the text begins with; or what reading it says. */
int dns_zone_read_file(struct dns_zone **zone, const char *path);
void dns_zone_free(struct dns_zone *zone);

/* Whether the name is in one of its zones. */
bool dns_zone_has(const struct dns_zone *zone, const struct dns_name *name);
/* NULL: there is no such name, nor one below it. */
const struct dns_node *dns_zone_find(const struct dns_zone *zone, const struct dns_name *name);

#endif
