/* SPDX-License-Identifier: MIT */
/* Sockets as the runtime has them, without a runtime: a descriptor, a family, option values. */
#ifndef TESTS_UNIT_OPTIONS_SUBJECT_H
#define TESTS_UNIT_OPTIONS_SUBJECT_H

#include "options/options.h"

struct subject {
    struct option_values values;
    enum option_scope scope; /* OPTION_SET_TCP or OPTION_SET_UDP */
    int fd;
    int family;
    bool bit8_seen;
};

/* A new, unbound socket with the defaults of its kind. */
struct subject subject_open(enum option_scope creating, const char *options);
void subject_close(struct subject *subject);

/* setopts: checks and applies; the result, with the error text as it was said. */
int subject_set(struct subject *subject, const char *options);

/* getopts: the result as text, or the error's name. Static memory. */
const char *subject_get(struct subject *subject, const char *request);
void subject_expect(struct subject *subject, const char *request, const char *reading);

#endif
