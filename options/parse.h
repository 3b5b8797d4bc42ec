/* SPDX-License-Identifier: MIT */
/* What parsing options and parsing their values share. */
#ifndef OPTIONS_PARSE_H
#define OPTIONS_PARSE_H

#include "options/row.h"
#include "term/scan.h"

struct parser {
    struct scanner scanner;
    bool request;        /* names to be read, not values to be set */
    size_t buffers_size; /* of what the requests so far are read into, in bytes */
};

/* The present token has to be this mark, and the next one becomes the present one. `what` says
 * what should have stood there: "a , has to follow". All return 0 or -EINVAL. */
int parse_mark(struct parser *parser, char mark);
bool parse_at_mark(const struct parser *parser, char mark);
int parse_unexpected(const struct parser *parser, const char *expected);

/* The value of an option, in its row's type, up to but not with the } that closes it. */
int parse_value(struct parser *parser, weir_option *option);

#endif
