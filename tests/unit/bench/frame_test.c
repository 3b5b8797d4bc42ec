/* SPDX-License-Identifier: MIT */
#include "load/frame.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PAYLOAD = 100, DEPTH = 3, FRAME = PAYLOAD + 4, SAMPLED = 0, NOT_SAMPLED = 64 * 5 + 1 };

static struct frame_batch batch;
static char reply[FRAME * DEPTH];

/* What a true echo of connection 7's batch would be. */
static struct frame_place echo(uint64_t number)
{
    struct frame_place place = {.connection = 7, .number = number};
    frame_batch_open(&batch, PAYLOAD, 4, DEPTH);
    frame_batch_mark(&batch, place);
    memcpy(reply, batch.bytes, sizeof(reply));
    return place;
}

Test(frame, begins_with_its_length)
{
    echo(SAMPLED);
    cr_assert_eq(memcmp(reply + FRAME, "\0\0\0\x64", 4), 0);
}

Test(frame, takes_a_true_echo_however_it_is_cut)
{
    struct frame_place place = echo(SAMPLED);
    for (size_t step = 1; step <= sizeof(reply); step++) {
        unsigned completed = 0;
        for (size_t at = 0; at < sizeof(reply); at += step) {
            size_t size = sizeof(reply) - at < step ? sizeof(reply) - at : step;
            completed += frame_batch_verify(&batch, place, at, reply + at, size);
        }
        cr_assert_eq(completed, DEPTH, "cut every %zu bytes", step);
    }
}

Test(frame, takes_payloads_shorter_than_a_mark)
{
    frame_batch_open(&batch, 3, 0, 2);
    struct frame_place place = {.connection = 1, .number = 9};
    frame_batch_mark(&batch, place);
    cr_assert_eq(frame_batch_verify(&batch, place, 0, batch.bytes, 6), 2);
}

Test(frame, notices_a_wrong_length, .exit_code = 1)
{
    struct frame_place place = echo(NOT_SAMPLED);
    reply[FRAME + 3]++;
    frame_batch_verify(&batch, place, 0, reply, sizeof(reply));
}

Test(frame, notices_frames_in_the_wrong_order, .exit_code = 1)
{
    struct frame_place place = echo(NOT_SAMPLED);
    frame_batch_verify(&batch, place, 0, reply + FRAME, FRAME);
}

Test(frame, notices_the_reply_of_another_connection, .exit_code = 1)
{
    struct frame_place place = echo(NOT_SAMPLED);
    place.connection++;
    frame_batch_verify(&batch, place, 0, reply, sizeof(reply));
}

Test(frame, notices_one_wrong_byte_in_a_sampled_frame, .exit_code = 1)
{
    struct frame_place place = echo(SAMPLED);
    reply[FRAME - 1] ^= 1;
    frame_batch_verify(&batch, place, 0, reply, sizeof(reply));
}

Test(frame, lets_only_what_is_not_compared_be_dropped)
{
    struct frame_place place = echo(NOT_SAMPLED);
    cr_assert_eq(frame_batch_unread_bytes(&batch, place, 11), 0);
    cr_assert_eq(frame_batch_unread_bytes(&batch, place, 12), FRAME - 12);
    place.number = SAMPLED;
    cr_assert_eq(frame_batch_unread_bytes(&batch, place, 12), 0);
}
