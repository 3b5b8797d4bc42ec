/* SPDX-License-Identifier: MIT */
/* How many buffers the kernel is offered: few, and more while many receives find none. */
#include <criterion/criterion.h>

#include "runtime/buffer/buffer.h"
#include "runtime/ring/ring.h"

enum { LEAST = 64, COUNT = 256, CALM_TURNS = 4096, CROWDED_TURNS = 256 };

static uint32_t offered;
static uint16_t indices[COUNT];

int __wrap_ring_register_buffers(struct ring *ring);
void __wrap_ring_offer_buffer(struct ring *ring, uint16_t index, uint8_t *bytes);
void __wrap_ring_publish_buffers(struct ring *ring);

int __wrap_ring_register_buffers(struct ring *ring)
{
    (void)ring;
    return 0;
}

void __wrap_ring_offer_buffer(struct ring *ring, uint16_t index, uint8_t *bytes)
{
    (void)ring;
    cr_assert_not_null(bytes);
    indices[offered++] = index;
}

void __wrap_ring_publish_buffers(struct ring *ring)
{
    (void)ring;
}

static struct buffer_pool *open_pool(uint32_t count)
{
    const struct buffer_pool_config config = {.count = count, .size = 256, .kernel_picks = true};
    struct buffer_pool *pool;
    offered = 0;
    cr_assert_eq(buffer_pool_open(&pool, &config), 0);
    return pool;
}

/* The kernel fills so many, so many receives find none, and a turn ends. */
static void turn(struct buffer_pool *pool, uint32_t filled, uint32_t missed)
{
    struct weir_buffer *buffers[COUNT];
    for (uint32_t i = 0; i < filled; i++)
        buffers[i] = buffer_pool_at(pool, indices[--offered]);
    cr_assert_eq(buffer_pool_available(pool), pool->count - filled);
    for (uint32_t i = 0; i < missed; i++)
        buffer_pool_miss(pool);
    for (uint32_t i = 0; i < filled; i++)
        buffer_dispatched(buffers[i]);
    buffer_pool_supply(pool);
}

Test(window, grows_while_more_than_half_as_many_find_none_as_one)
{
    struct buffer_pool *pool = open_pool(COUNT);
    cr_expect(offered == LEAST && pool->offered == LEAST);
    turn(pool, 10, 5);
    cr_expect_eq(offered, LEAST);
    turn(pool, 10, 6);
    cr_expect_eq(offered, 2 * LEAST);
    turn(pool, 10, 0);
    cr_expect_eq(offered, 2 * LEAST);
    turn(pool, 0, 1);
    cr_expect_eq(offered, COUNT);
    turn(pool, 0, 1);
    cr_expect(offered == COUNT && pool->window == COUNT, "there are no more");
    buffer_pool_close(pool);
}

static void calm(struct buffer_pool *pool, uint32_t turns)
{
    for (; turns > 0; turns--)
        turn(pool, 1, 0);
}

Test(window, shrinks_after_many_calm_turns)
{
    struct buffer_pool *pool = open_pool(COUNT);
    turn(pool, 0, 1);
    turn(pool, 0, 1);
    calm(pool, CALM_TURNS - 1);
    cr_expect_eq(pool->window, COUNT);
    calm(pool, 1);
    cr_expect_eq(pool->window, COUNT / 2);
    calm(pool, CALM_TURNS - 1);
    turn(pool, 0, 1);
    cr_expect_eq(pool->window, COUNT, "it was not calm");
    calm(pool, 2 * CALM_TURNS);
    cr_expect_eq(pool->window, LEAST);
    calm(pool, CALM_TURNS);
    cr_expect_eq(pool->window, LEAST, "never less");
    turn(pool, LEAST, 0);
    cr_expect_eq(offered, LEAST);
    buffer_pool_close(pool);
}

Test(window, is_all_of_few)
{
    struct buffer_pool *pool = open_pool(LEAST - 1);
    cr_expect_eq(offered, LEAST - 1);
    turn(pool, 0, 1);
    calm(pool, CALM_TURNS);
    cr_expect(offered == LEAST - 1 && pool->window == LEAST - 1);
    buffer_pool_close(pool);
}

Test(window, is_crowded_for_a_while)
{
    struct buffer_pool *pool = open_pool(COUNT);
    cr_expect(!buffer_pool_is_crowded(pool));
    turn(pool, 0, 1);
    calm(pool, CROWDED_TURNS - 2);
    cr_expect(buffer_pool_is_crowded(pool));
    calm(pool, 1);
    cr_expect(!buffer_pool_is_crowded(pool));
    buffer_pool_close(pool);
}

/* As many receives of one buffer as it has, or as there are. */
Test(window, is_the_room_for_receives)
{
    struct buffer_pool *pool = open_pool(COUNT);
    struct weir_buffer *taken[COUNT];
    cr_expect_eq(buffer_pool_room(pool), LEAST);
    for (int i = 0; i < COUNT - LEAST; i++)
        cr_assert_not_null(taken[i] = buffer_pool_take(pool));
    cr_expect_null(buffer_pool_take(pool), "the others are with the kernel");
    cr_expect_eq(buffer_pool_room(pool), LEAST);
    struct weir_buffer *filled = buffer_pool_at(pool, indices[--offered]);
    cr_expect_eq(buffer_pool_room(pool), LEAST - 1);
    buffer_dispatched(filled);
    for (int i = 0; i < COUNT - LEAST; i++)
        buffer_dispatched(taken[i]);
    cr_expect_eq(buffer_pool_available(pool), COUNT);
    buffer_pool_close(pool);
}
