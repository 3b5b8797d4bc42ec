/* SPDX-License-Identifier: MIT */
#include "vectors.h"
#include "base/check.h"
#include "decode_options.h"
#include <stdio.h>
#include <string.h>

static int digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = strchr(digits, c);
    CHECK(c && found);
    return (int)(found - digits);
}

static void read_hex(const char *hex, struct vector *vector)
{
    vector->input_size = 0;
    if (strcmp(hex, "-") == 0)
        return;
    for (; *hex; hex += 2) {
        CHECK_LT(vector->input_size, sizeof(vector->input));
        vector->input[vector->input_size++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
    }
}

static void read_row(struct vector *vector)
{
    char *rest = vector->line;
    vector->type = strsep(&rest, "\t");
    vector->options = strsep(&rest, "\t");
    const char *hex = strsep(&rest, "\t");
    vector->result = strsep(&rest, "\n");
    CHECK(vector->result);
    read_hex(hex, vector);
}

/* Left out: a type that weir does not have, and IPv6 literals, which OTP 25 splits wrongly. */
static bool is_decided_otherwise(const struct vector *vector)
{
    return strcmp(vector->type, "ssl_tls") == 0 ||
           memmem(vector->input, vector->input_size, "http://[", 8);
}

int vectors_each(vector_fn *each)
{
    static struct vector vector;
    FILE *file = fopen(WEIR_VECTORS "/decode_vectors.tsv", "r");
    CHECK(file);
    CHECK(fgets(vector.line, sizeof(vector.line), file));
    int count = 0;
    while (fgets(vector.line, sizeof(vector.line), file)) {
        read_row(&vector);
        if (is_decided_otherwise(&vector))
            continue;
        each(&vector);
        count++;
    }
    fclose(file);
    return count;
}

bool vector_arguments(const struct vector *vector, enum weir_packet_type *type,
                      weir_decode_options *options)
{
    int found = weir_packet_type_from_name(vector->type);
    if (found < 0 || decode_options_parse(vector->options, options) != DECODE_OPTIONS_OK)
        return false;
    *type = (enum weir_packet_type)found;
    return true;
}
