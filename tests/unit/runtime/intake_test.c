/* SPDX-License-Identifier: MIT */
/* Buffers that stand ready for a batch of datagrams, and where they come from. */
#include "runtime/datagram/intake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/arrival.h"

static struct intake blocks;

/* As the kernel fills one: from somebody, or from nobody. */
static void fill(struct intake *intake, uint32_t index, bool somebody)
{
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = 7};
    struct mmsghdr *header = &intake->headers[index];
    memcpy(header->msg_hdr.msg_name, &from, sizeof(from));
    header->msg_hdr.msg_namelen = somebody ? sizeof(from) : 0;
    header->msg_hdr.msg_controllen = 0;
    header->msg_len = 10;
}

static struct weir_buffer *take(struct intake *intake, uint32_t index)
{
    struct weir_buffer *buffer;
    fill(intake, index, true);
    cr_assert(intake_take(intake, index, 100, &buffer));
    cr_expect_null(intake->buffers[index]);
    return buffer;
}

Test(intake, uses_its_blocks_again)
{
    int64_t live = memory_live_count();
    intake_open_blocks(&blocks);
    cr_expect_eq(intake_ready(&blocks, 3), 3);
    cr_expect_eq(memory_live_count(), live + 3);
    uint64_t allocations = memory_allocation_count();
    for (int round = 0; round < 3 * INTAKE_BLOCKS_MOST; round++) {
        struct weir_buffer *buffer = take(&blocks, 1);
        intake_give_back(&blocks, buffer);
        cr_expect_eq(blocks.spare_count, 1);
        cr_expect_eq(intake_ready(&blocks, 3), 3);
        cr_expect_eq(blocks.spare_count, 0);
    }
    cr_expect_eq(memory_allocation_count(), allocations);
    intake_shut(&blocks);
    cr_expect_eq(memory_live_count(), live);
}

Test(intake, keeps_so_many)
{
    struct weir_buffer *taken[INTAKE_BLOCKS_MOST + 1];
    int64_t live = memory_live_count();
    intake_open_blocks(&blocks);
    cr_expect_eq(intake_ready(&blocks, 1000), INTAKE_BLOCKS_MOST);
    for (uint32_t i = 0; i <= INTAKE_BLOCKS_MOST; i++) {
        cr_expect_geq(intake_ready(&blocks, 1), 1);
        taken[i] = take(&blocks, i < INTAKE_BLOCKS_MOST ? i : 0);
    }
    for (uint32_t i = 0; i <= INTAKE_BLOCKS_MOST; i++)
        intake_give_back(&blocks, taken[i]);
    cr_expect_eq(blocks.spare_count, INTAKE_BLOCKS_MOST);
    intake_shut(&blocks);
    cr_expect_eq(memory_live_count(), live);
}

/* Somebody else has it. */
Test(intake, leaves_a_block_that_is_kept)
{
    int64_t live = memory_live_count();
    intake_open_blocks(&blocks);
    (void)intake_ready(&blocks, 1);
    struct weir_buffer *buffer = take(&blocks, 0);
    buffer_keep(buffer);
    intake_give_back(&blocks, buffer);
    cr_expect_eq(blocks.spare_count, 0);
    buffer_release(buffer);
    cr_expect_eq(memory_live_count(), live);
}

Test(intake, has_what_is_from_nobody_again)
{
    struct weir_buffer *buffer;
    intake_open_blocks(&blocks);
    (void)intake_ready(&blocks, 1);
    fill(&blocks, 0, false);
    cr_expect(!intake_take(&blocks, 0, 100, &buffer));
    cr_expect(blocks.spare_count == 1 && !blocks.buffers[0]);
    intake_shut(&blocks);
}

Test(intake, of_local_sockets_has_the_blocks_of_the_other)
{
    static struct intake local;
    struct weir_buffer *buffer;
    intake_open_blocks(&blocks);
    intake_open_local(&local, &blocks);
    (void)intake_ready(&blocks, 1);
    intake_give_back(&blocks, take(&blocks, 0));
    uint64_t allocations = memory_allocation_count();
    cr_expect_eq(intake_ready(&local, 1), 1);
    cr_expect(memory_allocation_count() == allocations && blocks.spare_count == 0);
    cr_expect_eq(local.headers[0].msg_hdr.msg_controllen, 0);
    fill(&local, 0, false);
    cr_assert(intake_take(&local, 0, 100, &buffer), "nobody's is as good");
    intake_give_back(&blocks, buffer);
    cr_expect_eq(intake_ready(&local, 1000), INTAKE_BLOCKS_MOST);
    intake_shut(&local);
    intake_shut(&blocks);
}

static const struct {
    uint32_t count;
    uint32_t most;
} pools[] = {{8, 1}, {16, 2}, {8 * INTAKE_MOST, INTAKE_MOST}, {16 * INTAKE_MOST, INTAKE_MOST}};

Test(intake, has_a_part_of_a_pool)
{
    for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
        static struct intake intake;
        const struct buffer_pool_config config = {.count = pools[i].count, .size = 2048};
        struct buffer_pool *pool;
        cr_assert_eq(buffer_pool_open(&pool, &config), 0);
        intake = (struct intake){0};
        intake_open(&intake, pool);
        cr_expect_eq(intake_ready(&intake, 1000), pools[i].most, "row %zu", i);
        cr_expect_eq(buffer_pool_available(pool), pools[i].count - pools[i].most);
        cr_expect_eq(intake_ready(&intake, 1), 1);
        buffer_dispatched(take(&intake, 0));
        cr_expect_eq(buffer_pool_available(pool), pools[i].count - pools[i].most + 1);
        intake_shut(&intake);
        buffer_pool_close(pool);
    }
}

Test(intake, may_have_none)
{
    intake_open_blocks(&blocks);
    memory_fail_nth(2);
    cr_expect_eq(intake_ready(&blocks, 3), 1);
    memory_fail_nth(0);
    cr_expect_eq(intake_receive(&blocks, -1, 0), -ENOMEM);
    intake_shut(&blocks);
}
