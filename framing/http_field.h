/* SPDX-License-Identifier: MIT */
/* The 52 header fields that have a number. */
#ifndef FRAMING_HTTP_FIELD_H
#define FRAMING_HTTP_FIELD_H

#include <stddef.h>
#include <stdint.h>

struct http_field {
    const char *name; /* in canonical case */
    uint8_t number;
};

/* In any case; NULL for a name that has no number. Made by gperf from http_field.gperf. */
const struct http_field *http_field_find(const char *name, size_t size);

#endif
