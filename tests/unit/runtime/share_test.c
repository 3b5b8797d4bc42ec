/* SPDX-License-Identifier: MIT */
/* A socket's share of a turn: what it is when so many want more, what counts as how much, and that
 * who has had it stands behind the others. */
#include "runtime/stream/share.h"

#include <criterion/criterion.h>

#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

static struct scheduler scheduler;

static void begin(void)
{
    task_queues_init(&scheduler.tasks);
    cr_assert_eq(streams_open(&scheduler, &scheduler.states[KIND_STREAM]), 0);
}

static struct stream *new_stream(void)
{
    return (struct stream *)slot_table_take(&scheduler.slots);
}

static const struct {
    uint32_t postponed;
    uint32_t share;
} shares[] = {
    {0, SHARE_MOST},
    {SHARE_TURN / SHARE_MOST - 1, SHARE_MOST},
    {SHARE_TURN / SHARE_MOST, SHARE_TURN / (SHARE_TURN / SHARE_MOST + 1)},
    {SHARE_TURN / 16 - 1, 16 > SHARE_LEAST ? 16 : SHARE_LEAST},
    {SHARE_TURN, SHARE_LEAST},
    {100 * SHARE_TURN, SHARE_LEAST},
};

Test(share, is_less_when_many_want_more)
{
    begin();
    struct streams *streams = streams_of(&scheduler);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        streams->postponed_count = shares[i].postponed;
        share_out(&scheduler, &streams->share_out);
        cr_expect_eq(streams->share, shares[i].share, "row %zu: %u", i, streams->share);
        cr_expect_eq(streams->postponed_count, 0);
        cr_expect(!task_is_queued(&streams->go_on), "nobody is postponed");
    }
}

static const struct {
    size_t size;
    uint32_t units;
} sizes[] = {
    {0, 1},
    {1, 1},
    {1023, 1},
    {1024, 2},
    {2047, 2},
    {(SHARE_MOST - 2) * 1024, SHARE_MOST - 1},
    {(SHARE_MOST - 1) * 1024, SHARE_MOST},
    {SHARE_MOST * 1024, SHARE_MOST},
    {1u << 30, SHARE_MOST},
};

Test(share, counts_packets_and_kib)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct stream stream = {.share_used = 3};
        share_spend(&stream, sizes[i].size);
        cr_expect_eq(stream.share_used, 3 + sizes[i].units, "row %zu: %u", i, stream.share_used);
    }
}

static void use_up(struct stream *stream)
{
    share_renew(&scheduler, stream);
    for (uint32_t left = streams_of(&scheduler)->share; left > 0; left--) {
        cr_assert(share_is_left(&scheduler, stream));
        share_spend(stream, 1);
    }
    cr_assert(!stream->postponed);
    cr_assert(!share_is_left(&scheduler, stream) && stream->postponed);
}

Test(share, who_has_had_it_goes_on_in_the_next_turn)
{
    begin();
    struct streams *streams = streams_of(&scheduler);
    struct stream *first = new_stream();
    struct stream *second = new_stream();
    struct stream *third = new_stream();
    scheduler.totals.turns = 7;
    use_up(first);
    use_up(second);
    use_up(third);
    cr_expect(streams->postponed_count == 3 && task_is_queued(&streams->share_out));
    share_renew(&scheduler, first);
    cr_expect_eq(first->share_used, streams->share, "the turn is the same");
    cr_expect_null(share_take_due(&scheduler), "the turn is the same");
    share_out(&scheduler, &streams->share_out);
    cr_expect(task_is_queued(&streams->go_on));
    scheduler.totals.turns++;
    share_forget(&scheduler, second);
    share_forget(&scheduler, second);
    cr_expect(!second->postponed);
    cr_expect_eq(share_take_due(&scheduler), first);
    cr_expect(!first->postponed);
    share_renew(&scheduler, first);
    cr_expect_eq(first->share_used, 0);
    cr_expect_eq(share_take_due(&scheduler), third);
    cr_expect_null(share_take_due(&scheduler));
}
