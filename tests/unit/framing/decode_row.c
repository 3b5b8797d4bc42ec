/* SPDX-License-Identifier: MIT */
#include "decode_row.h"
#include "base/check.h"
#include "support/vectors.h"
#include <string.h>

static void (*check_row)(const struct decode_row *row);
static size_t row_count;

static int digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = strchr(digits, c);
    CHECK(c && found);
    return (int)(found - digits);
}

static void read_hex(const char *hex, struct decode_row *row)
{
    row->input_size = 0;
    if (strcmp(hex, "-") == 0)
        return;
    for (; *hex; hex += 2) {
        CHECK_LT(row->input_size, sizeof(row->input));
        row->input[row->input_size++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
    }
}

static void read_arguments(struct decode_row *row)
{
    int type = weir_packet_type_from_name(row->type_name);
    row->options.type = (enum weir_packet_type)type;
    row->is_bad_argument = type < 0 || !decode_options_parse(row->option_text, &row->options);
}

/* A type that weir does not have, and IPv6 literals, which OTP 25 splits wrongly. */
static bool is_decided_otherwise(const struct decode_row *row)
{
    return strcmp(row->type_name, "ssl_tls") == 0 ||
           memmem(row->input, row->input_size, "http://[", 8);
}

static void read_row(const struct vector *vector)
{
    static struct decode_row row;
    row.type_name = vector->columns[0];
    row.option_text = vector->columns[1];
    row.result = vector->columns[3];
    read_hex(vector->columns[2], &row);
    if (is_decided_otherwise(&row))
        return;
    read_arguments(&row);
    row_count++;
    check_row(&row);
}

size_t decode_rows_each(void (*check)(const struct decode_row *row))
{
    check_row = check;
    row_count = 0;
    vectors_each("decode_vectors.tsv", read_row);
    return row_count;
}
