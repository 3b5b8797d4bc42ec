/* SPDX-License-Identifier: MIT */
/* The rows of decode_vectors.tsv: what a real Erlang answered. */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdbool.h>
#include <weir/packet.h>

struct vector {
    char line[16384]; /* the columns below point into it */
    const char *type;
    const char *options;
    const char *result;
    uint8_t input[4096];
    size_t input_size;
};

typedef void vector_fn(const struct vector *vector);

/* Calls `each` for every row but those whose answers were decided otherwise. Returns how many. */
int vectors_each(vector_fn *each);

/* False for a row that is a bad argument. */
bool vector_arguments(const struct vector *vector, enum weir_packet_type *type,
                      weir_decode_options *options);

#endif
