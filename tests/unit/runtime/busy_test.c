/* SPDX-License-Identifier: MIT */
/* The watermarks of one connection, by what it has queued. */
#include "runtime/stream/busy.h"

#include <criterion/criterion.h>

#include "framing/framing.h"
#include "options/option_block.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

enum { HIGH = 1000, HEADER = FRAMING_HEADER_MAX };

static struct scheduler scheduler = {.lease.bytes = 1 << 20};
static struct option_block block = {.refs = 1, .values.high_watermark = HIGH};
static struct output output;
static struct stream stream = {.slot = {.state = SOCKET_OPEN, .options = &block}};

static const struct {
    size_t queued;
    size_t size;
    bool busy;
    bool waits;
} sends[] = {
    {0, 10 * HIGH, false, false}, /* nothing is queued: whatever its size, it is taken */
    {0, 1, true, false},
    {1, HIGH - HEADER - 2, false, false},
    {1, HIGH - HEADER - 1, false, true},
    {HIGH - HEADER - 1, 0, false, false},
    {HIGH - HEADER, 0, false, true},
    {HIGH, 1, false, true},
    {1, 1, true, true},
};

Test(busy, a_send_that_would_cross_the_mark_would_wait)
{
    stream.output = &output;
    for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++) {
        output.queue.queued_bytes = sends[i].queued;
        output.busy = sends[i].busy;
        cr_expect_eq(busy_would_wait(&scheduler, &stream, sends[i].size), sends[i].waits, "row %zu",
                     i);
    }
    stream.output = NULL;
    cr_expect(!busy_would_wait(&scheduler, &stream, HIGH) && !busy_is(&scheduler, &stream));
}

Test(busy, from_the_high_mark_on)
{
    stream.output = &output;
    output.stream = &stream;
    output.queue.queued_bytes = HIGH - 1;
    cr_expect(!busy_check_mark(&scheduler, &stream) && scheduler.totals.busy == 0);
    output.queue.queued_bytes = HIGH;
    cr_expect(busy_check_mark(&scheduler, &stream) && busy_is(&scheduler, &stream));
    output.queue.queued_bytes = 1;
    cr_expect(busy_check_mark(&scheduler, &stream), "until it has drained");
    cr_expect_eq(scheduler.totals.busy, 1);
    output.queue.queued_bytes = 0;
    cr_expect(!busy_is(&scheduler, &stream), "of nothing");
}
