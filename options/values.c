/* SPDX-License-Identifier: MIT */
#include "options/values.h"

#include "base/check.h"
#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* send_timeout: as in Erlang/OTP, the largest number of 32 bits is infinity too. */
enum { INFINITY_MS = -1 };

static void put(struct option_values *values, const struct option_row *row, int64_t number)
{
    uint8_t *field = (uint8_t *)values + row->offset;
    uint32_t word = (uint32_t)number;
    uint8_t byte = (uint8_t)number;
    switch (row->size) {
    case sizeof(number):
        memcpy(field, &number, sizeof(number));
        break;
    case sizeof(word):
        memcpy(field, &word, sizeof(word));
        break;
    case sizeof(byte):
        *field = byte;
        break;
    default:
        CHECK_NEVER(row->size);
    }
}

int64_t values_load(const struct option_values *values, const struct option_row *row)
{
    const uint8_t *field = (const uint8_t *)values + row->offset;
    int64_t number;
    uint32_t word;
    switch (row->size) {
    case sizeof(number):
        memcpy(&number, field, sizeof(number));
        return number;
    case sizeof(word):
        memcpy(&word, field, sizeof(word));
        return row->type == OPTION_ACTIVE ? (int32_t)word : (int64_t)word;
    case 1:
        return *field;
    default:
        CHECK_NEVER(row->size);
    }
}

static void derive_limits(struct option_values *values)
{
    values->limits.packet_size = values->packet_size;
    values->limits.line_length =
        values->packet_size > values->buffer ? values->packet_size : values->buffer;
    values->limits.line_delimiter = values->line_delimiter;
}

static void after_buffer(struct option_values *values, int64_t number)
{
    (void)number;
    values->buffer_explicit = true;
    derive_limits(values);
}

static void after_limit(struct option_values *values, int64_t number)
{
    (void)number;
    derive_limits(values);
}

static void after_kernel_buffer(struct option_values *values, int64_t number)
{
    enum { DATAGRAM_MOST = 65536 };
    if (values->of_datagrams && number > DATAGRAM_MOST)
        number = DATAGRAM_MOST;
    if (values->buffer_explicit || number <= values->buffer)
        return;
    values->buffer = (uint32_t)number;
    derive_limits(values);
}

static void after_high(struct option_values *values, int64_t number)
{
    (void)number;
    if (values->low_watermark > values->high_watermark)
        values->low_watermark = values->high_watermark;
}

static void after_low(struct option_values *values, int64_t number)
{
    (void)number;
    if (values->high_watermark < values->low_watermark)
        values->high_watermark = values->low_watermark;
}

static void after_high_msgq(struct option_values *values, int64_t number)
{
    (void)number;
    if (values->low_msgq_watermark > values->high_msgq_watermark)
        values->low_msgq_watermark = values->high_msgq_watermark;
}

static void after_low_msgq(struct option_values *values, int64_t number)
{
    (void)number;
    if (values->high_msgq_watermark < values->low_msgq_watermark)
        values->high_msgq_watermark = values->low_msgq_watermark;
}

static void after_send_timeout(struct option_values *values, int64_t number)
{
    if (number == UINT32_MAX)
        values->send_timeout_ms = INFINITY_MS;
}

typedef void follow(struct option_values *values, int64_t number);

static follow *const after[WEIR_OPTION_COUNT] = {
    [WEIR_OPTION_BUFFER] = after_buffer,
    [WEIR_OPTION_HIGH_MSGQ_WATERMARK] = after_high_msgq,
    [WEIR_OPTION_HIGH_WATERMARK] = after_high,
    [WEIR_OPTION_LINE_DELIMITER] = after_limit,
    [WEIR_OPTION_LOW_MSGQ_WATERMARK] = after_low_msgq,
    [WEIR_OPTION_LOW_WATERMARK] = after_low,
    [WEIR_OPTION_PACKET_SIZE] = after_limit,
    [WEIR_OPTION_RECBUF] = after_kernel_buffer,
    [WEIR_OPTION_SEND_TIMEOUT] = after_send_timeout,
    [WEIR_OPTION_SNDBUF] = after_kernel_buffer,
};

void values_follow(struct option_values *values, const weir_option *option)
{
    if (after[option->id])
        after[option->id](values, option->value.number);
}

int values_set(struct option_values *values, const weir_option *option)
{
    const struct option_row *row = option_row_of(option);
    int64_t number = option->value.number;
    if ((row->traits & OPTION_RETURNED) && number < 1)
        return error_say(-EINVAL, "option %s: %" PRId64 " is less than 1", row->atom, number);
    put(values, row, row->type == OPTION_INTEGER && number < row->floor ? row->floor : number);
    values_follow(values, option);
    return 0;
}

void values_initialize(struct option_values *values, bool udp)
{
    *values = (struct option_values){.of_datagrams = udp};
    for (size_t id = WEIR_OPTION_END + 1; id < WEIR_OPTION_COUNT; id++)
        if (option_rows[id].keeper == OPTION_KEEPER_WEIR)
            put(values, &option_rows[id], option_rows[id].initial[udp]);
    derive_limits(values);
}
