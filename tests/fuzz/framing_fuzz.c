/* SPDX-License-Identifier: MIT */
/*
 * Any bytes, cut anywhere: a framer that has seen some of them before answers as one that has not,
 * the packets are the same as those of one piece, each takes at least a byte and lies within the
 * input. FUZZ_TYPE is the packet type. The first bytes of the input choose limits and cuts.
 */
#include "base/check.h"
#include "base/memory.h"
#include "framing/framing.h"
#include "packet_digest.h"

#include <string.h>

enum { CONTROL_SIZE = 4, PACKET_COUNT_MAX = 4096 };

struct setting {
    weir_decode_options limits;
    size_t step; /* bytes fed at a time */
};

struct packets {
    uint64_t digests[PACKET_COUNT_MAX];
    size_t count;
    int last; /* MORE or INVALID */
};

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* With both limits a line can be cut before it is known to be too long: how much is there then
 * decides. And a line end that is all there is of http is taken whatever the limit. */
static void set_limits(uint8_t packet_size, uint8_t line_length, weir_decode_options *limits)
{
    bool is_line = FUZZ_TYPE == WEIR_LINE;
    limits->packet_size = is_line || packet_size != 1 ? packet_size : 0;
    limits->line_length = packet_size && is_line ? 0 : line_length;
    if (framing_is_http(FUZZ_TYPE) && line_length == 1)
        limits->line_length = 0;
}

static struct setting read_setting(const uint8_t *control)
{
    struct setting setting = {.limits.line_delimiter = '\n'};
    set_limits(control[0], control[1], &setting.limits);
    if (FUZZ_TYPE == WEIR_LINE && control[2])
        setting.limits.line_delimiter = control[2];
    setting.step = 1 + control[3];
    return setting;
}

static int look(struct framer *framer, const weir_decode_options *limits, const uint8_t *bytes,
                size_t size, struct packet_digest *digest)
{
    weir_decoded decoded = {0};
    weir_http http;
    int result = framer_next(framer, FUZZ_TYPE, limits, bytes, size, &decoded, &http);
    *digest = (struct packet_digest){.needed = result == WEIR_DECODE_MORE ? decoded.needed : 0};
    if (result == WEIR_DECODE_OK) {
        CHECK_GE(decoded.consumed, (size_t)1);
        CHECK_LE(decoded.consumed, size);
        CHECK(decoded.bytes >= bytes && decoded.size <= decoded.consumed);
        CHECK(decoded.bytes + decoded.size <= bytes + decoded.consumed);
        packet_digest(FUZZ_TYPE, &decoded, &http, digest);
    }
    if (result == WEIR_DECODE_MORE && digest->needed)
        CHECK_GT(digest->needed, size);
    return result;
}

/* The bytes lie in memory of their own size, so that the address sanitizer sees a byte too far. */
static int look_twice(struct framer *framer, const weir_decode_options *limits,
                      const uint8_t *bytes, size_t size, struct packet_digest *digest)
{
    uint8_t *exact = memory_allocate(size ? size : 1);
    CHECK(exact);
    memcpy(exact, bytes, size);
    struct packet_digest fresh_digest;
    struct framer fresh = {.http_header = framer->http_header};
    int fresh_result = look(&fresh, limits, exact, size, &fresh_digest);
    int result = look(framer, limits, exact, size, digest);
    CHECK_EQ(result, fresh_result);
    CHECK_EQ(memcmp(digest, &fresh_digest, sizeof(fresh_digest)), 0);
    CHECK_EQ(framer->http_header, fresh.http_header);
    memory_free(exact);
    return result;
}

/* All packets, the input growing by `step` bytes whenever there is no whole one. */
static void take_apart(const struct setting *setting, const uint8_t *bytes, size_t size,
                       struct packets *packets)
{
    struct framer framer = {0};
    size_t at = 0;
    size_t fed = setting->step < size ? setting->step : size;
    packets->count = 0;
    for (;;) {
        struct packet_digest digest;
        int result = look_twice(&framer, &setting->limits, bytes + at, fed - at, &digest);
        packets->last = result;
        if (result == WEIR_DECODE_OK) {
            packets->digests[packets->count++ % PACKET_COUNT_MAX] = digest.digest;
            at += digest.consumed;
        } else if (result == WEIR_DECODE_INVALID || fed == size) {
            return;
        } else {
            fed = size - fed > setting->step ? fed + setting->step : size;
        }
    }
}

static void check_same(const struct packets *whole, const struct packets *cut)
{
    size_t count = whole->count < PACKET_COUNT_MAX ? whole->count : PACKET_COUNT_MAX;
    CHECK_EQ(cut->last, whole->last);
    CHECK_EQ(cut->count, whole->count);
    CHECK_EQ(memcmp(cut->digests, whole->digests, count * sizeof(cut->digests[0])), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static struct packets whole, cut;
    if (size < CONTROL_SIZE)
        return 0;
    struct setting setting = read_setting(input);
    take_apart(&setting, input + CONTROL_SIZE, size - CONTROL_SIZE, &cut);
    setting.step = size;
    take_apart(&setting, input + CONTROL_SIZE, size - CONTROL_SIZE, &whole);
    /* A raw packet is what has come. */
    if (FUZZ_TYPE != WEIR_RAW)
        check_same(&whole, &cut);
    return 0;
}
