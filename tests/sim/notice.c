/* SPDX-License-Identifier: MIT */
#include "sim/notice.h"

#include <stdbool.h>
#include <string.h>

#include "runtime/ring/ring.h"
#include "runtime/ring/vectors.h"
#include "sim/dice.h"
#include "sim/event.h"
#include "sim/model.h"
#include "sim/ring_sim.h"
#include "sim/trace.h"

struct notice {
    uint64_t user_data;
    uint64_t sum;
    uint32_t count;
    uint8_t ring;
    bool used;
    struct piece pieces[VECTORS_PER_MESSAGE];
};

enum { NOTICE_MOST = 1024 };
static struct notice notices[NOTICE_MOST];

void notice_reset(void)
{
    memset(notices, 0, sizeof(notices));
}

static uint64_t sum_of(const struct notice *notice)
{
    uint64_t sum = 1469598103934665603u;
    for (uint32_t i = 0; i < notice->count; i++)
        for (size_t j = 0; j < notice->pieces[i].size; j++)
            sum = (sum ^ notice->pieces[i].bytes[j]) * 1099511628211u;
    return sum;
}

static void give(uint32_t index, uint32_t unused)
{
    struct notice *notice = &notices[index];
    (void)unused;
    SIM_CHECK(sum_of(notice) == notice->sum,
              "memory of a zero-copy send changed before its notice");
    notice->used = false;
    ring_sim_choose(notice->ring);
    trace("notice of %llx", (int64_t)notice->user_data, 0, 0, 0);
    ring_sim_post(notice->user_data, 0, RING_NOTIFY | (dice_chance(500) ? RING_COPIED : 0));
}

void notice_promise(const struct op *op, const struct piece *pieces, uint32_t count)
{
    uint32_t index = 0;
    while (index < NOTICE_MOST && notices[index].used)
        index++;
    SIM_CHECK(index < NOTICE_MOST, "too many notices");
    struct notice *notice = &notices[index];
    memcpy(notice->pieces, pieces, count * sizeof(*pieces));
    notice->count = count;
    notice->used = true;
    notice->ring = op->ring;
    notice->user_data = op->user_data;
    notice->sum = sum_of(notice);
    event_after(dice_size(2000000), give, index, 0);
}
