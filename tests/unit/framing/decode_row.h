/* SPDX-License-Identifier: MIT */
/* The rows of decode_vectors.tsv: what a real Erlang answered. */
#ifndef DECODE_ROW_H
#define DECODE_ROW_H

#include "decode_options.h"
#include <stdbool.h>
#include <weir/packet.h>

struct decode_row {
    const char *type_name;
    const char *option_text;
    const char *result; /* an Erlang term */
    bool is_bad_argument;
    struct decode_options options;
    uint8_t input[4096];
    size_t input_size;
};

/* Calls `check` for every row but those that were decided otherwise. How many there were. */
size_t decode_rows_each(void (*check)(const struct decode_row *row));

#endif
