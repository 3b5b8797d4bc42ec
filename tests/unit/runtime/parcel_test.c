/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/parcel.h"

#include <criterion/criterion.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"

static struct parcels parcels;
static int64_t blocks;

static void begin(void)
{
    blocks = memory_live_count();
    parcels_open(&parcels);
}

static void end(void)
{
    parcels_shut(&parcels);
    cr_expect_eq(memory_live_count(), blocks);
}

static struct parcel *take(size_t size)
{
    struct parcel *parcel = parcel_take(&parcels, size);
    cr_assert_not_null(parcel);
    return parcel;
}

Test(parcel, so_many_spare_ones_are_kept)
{
    enum { KEPT = 1024, MANY = KEPT + 100 };
    static struct parcel *many[MANY];
    begin();
    for (int round = 0; round < 3; round++) {
        uint64_t allocations = memory_allocation_count();
        for (int i = 0; i < MANY; i++)
            many[i] = take(10);
        allocations = memory_allocation_count() - allocations;
        cr_expect_eq(allocations, round == 0 ? MANY + 1 : MANY - KEPT, "%lu", allocations);
        for (int i = 0; i < MANY; i++)
            parcel_free(&parcels, many[i]);
        cr_expect_eq(memory_live_count(), blocks + KEPT + 1);
    }
    end();
}

/* Beside the one that is being filled. */
Test(parcel, so_many_spare_crates_are_kept)
{
    enum { KEPT = 4, MANY = 10 };
    struct parcel *many[MANY];
    begin();
    for (int round = 0; round < 3; round++) {
        uint64_t allocations = memory_allocation_count();
        for (int i = 0; i < MANY; i++)
            many[i] = take(CRATE_BYTES / 2 + 1);
        allocations = memory_allocation_count() - allocations;
        cr_expect_eq(allocations, round == 0 ? 2 * MANY : MANY - KEPT - 1, "%lu", allocations);
        for (int i = 0; i < MANY; i++)
            parcel_free(&parcels, many[i]);
        cr_expect_eq(memory_live_count(), blocks + MANY + KEPT + 1);
    }
    end();
}

Test(parcel, a_crate_is_used_again_when_nothing_lies_in_it)
{
    begin();
    struct parcel *first = take(100);
    uint8_t *start = first->bytes;
    struct parcel *second = take(CRATE_BYTES - 100);
    cr_expect_eq(second->bytes, start + 100, "it fills the crate");
    struct parcel *third = take(1);
    cr_expect_neq(third->crate, first->crate);
    cr_expect_eq(third->bytes, third->crate->bytes);
    parcel_free(&parcels, first);
    cr_expect_eq(second->crate->used, CRATE_BYTES, "one stays");
    parcel_free(&parcels, second);
    parcel_free(&parcels, third);
    struct parcel *next = take(10);
    cr_expect_eq(next->bytes, next->crate->bytes);
    parcel_free(&parcels, next);
    end();
}

static void grow(struct parcel *parcel, size_t size)
{
    uint8_t *end = parcel_room(parcel, size);
    cr_assert_eq(end, parcel->bytes + parcel->size);
    parcel_grow(parcel, size);
}

Test(parcel, a_run_has_one_size_but_for_the_last)
{
    begin();
    struct parcel *run = take(100);
    cr_expect(!parcel_room(run, 0) && !parcel_room(run, 101));
    grow(run, 100);
    grow(run, 40);
    cr_expect(run->count == 3 && run->size == 240 && run->datagram_size == 100);
    cr_expect(!parcel_room(run, 40) && !parcel_room(run, 1), "the last was shorter");
    parcel_free(&parcels, run);
    end();
}

Test(parcel, a_run_has_so_many_datagrams_and_bytes)
{
    begin();
    struct parcel *many = take(1);
    for (int i = 1; i < RUN_DATAGRAMS_MOST; i++)
        grow(many, 1);
    cr_expect(many->count == RUN_DATAGRAMS_MOST && !parcel_room(many, 1));
    parcel_free(&parcels, many);
    struct parcel *large = take(RUN_BYTES_MOST - 1000);
    cr_expect(!parcel_room(large, 1001) && parcel_room(large, 1000));
    parcel_free(&parcels, large);
    end();
}

/* Nobody waits for it, and nothing lies behind it. */
Test(parcel, only_the_last_grows)
{
    struct call *somebody = (struct call *)&parcels;
    begin();
    struct parcel *first = take(100);
    first->call = somebody;
    cr_expect(!parcel_room(first, 100));
    first->call = NULL;
    cr_expect(parcel_room(first, 100));
    struct parcel *second = take(CRATE_BYTES - 250);
    cr_expect(!parcel_room(first, 100));
    struct parcel *third = take(100);
    cr_expect(!parcel_room(third, 51) && parcel_room(third, 50), "there are 50 left in the crate");
    parcel_free(&parcels, first);
    parcel_free(&parcels, second);
    parcel_free(&parcels, third);
    end();
}

Test(parcel, a_run_is_taken_apart_from_its_beginning)
{
    begin();
    struct parcel *run = take(100);
    uint8_t *start = run->bytes;
    grow(run, 100);
    grow(run, 40);
    run->address.inet = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = 77};
    run->address_size = sizeof(run->address.inet);
    struct parcel *first = parcel_split(&parcels, run);
    cr_assert(first && first->bytes == start && first->size == 100 && first->count == 1);
    cr_expect(first->address_size == run->address_size && first->address.inet.sin_port == 77);
    cr_expect(run->bytes == start + 100 && run->size == 140 && run->count == 2 &&
              run->datagram_size == 100);
    struct parcel *second = parcel_split(&parcels, run);
    cr_assert(second && second->bytes == start + 100 && second->size == 100);
    cr_expect(run->bytes == start + 200 && run->size == 40 && run->count == 1 &&
              run->datagram_size == 40);
    struct crate *crate = run->crate;
    cr_expect_eq(crate->parcel_count, 3);
    parcel_free(&parcels, first);
    parcel_free(&parcels, second);
    cr_expect_eq(crate->used, 240);
    parcel_free(&parcels, run);
    cr_expect_eq(crate->used, 0);
    end();
}

Test(parcel, a_run_asks_to_be_cut_apart)
{
    struct msghdr message;
    uint16_t segment = 0;
    begin();
    struct parcel *run = take(100);
    parcel_address(run, &message);
    cr_expect(!message.msg_name && message.msg_namelen == 0 && !message.msg_control);
    cr_expect(message.msg_iovlen == 1 && message.msg_iov->iov_base == run->bytes &&
              message.msg_iov->iov_len == 100);
    grow(run, 100);
    run->address_size = sizeof(run->address.inet);
    parcel_address(run, &message);
    cr_expect(message.msg_name == &run->address && message.msg_namelen == run->address_size);
    cr_expect_eq(message.msg_iov->iov_len, 200);
    struct cmsghdr *control = CMSG_FIRSTHDR(&message);
    cr_assert_not_null(control);
    cr_expect(control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_SEGMENT &&
              control->cmsg_len == CMSG_LEN(sizeof(segment)));
    memcpy(&segment, CMSG_DATA(control), sizeof(segment));
    cr_expect_eq(segment, 100);
    parcel_free(&parcels, run);
    end();
}

/* Whatever the one before was: it has its memory. */
Test(parcel, is_new_though_its_memory_is_not)
{
    struct msghdr message;
    begin();
    struct parcel *first = take(100);
    first->call = (struct call *)&parcels;
    first->address_size = sizeof(first->address.inet);
    first->rights = buffer_allocate(64);
    cr_assert_not_null(first->rights);
    parcel_address(first, &message);
    cr_expect(message.msg_control == first->rights->bytes &&
              message.msg_controllen == first->rights->capacity);
    parcel_free(&parcels, first);
    struct parcel *second = take(50);
    cr_assert_eq(second, first);
    cr_expect(!second->call && !second->rights && second->address_size == 0);
    cr_expect(second->count == 1 && second->size == 50 && second->datagram_size == 50);
    parcel_free(&parcels, second);
    end();
}
