/* SPDX-License-Identifier: MIT */
/* The parameters of the inet configuration that are one value: their names, limits and defaults. */
#ifndef ADDRESS_INET_PARAMETER_H
#define ADDRESS_INET_PARAMETER_H

#include "address/inet_config.h"

enum inet_type { INET_BOOLEAN, INET_INTEGER, INET_VERSION /* false or 0 */ };

struct inet_number_row {
    const char *name;
    enum inet_type type;
    int64_t least;
    int64_t initial;
};

extern const struct inet_number_row inet_number_rows[INET_NUMBER_COUNT];

enum inet_text_type { INET_NAME, INET_PATH, INET_MODULE };

struct inet_text_row {
    const char *name;
    enum inet_text_type type;
    const char *initial; /* a path: of the file in /etc */
};

extern const struct inet_text_row inet_text_rows[INET_TEXT_COUNT];

/* What a text is when nothing is configured; `path` is room for it. ERL_INET_ETC_DIR is /etc. */
const char *inet_text_initial(enum inet_text which, char *path, size_t size);

#endif
