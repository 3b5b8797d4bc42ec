/* SPDX-License-Identifier: MIT */
/* The wheel against a list that is searched. */
#include "runtime/scheduler/timer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TIMERS = 200 };

struct subject {
    struct timer timer;
    uint64_t expiry_ms; /* 0: not armed */
    uint64_t fired_ms;
};

static struct timer_wheel wheel;
static struct subject subjects[TIMERS];
static uint64_t now_ms;
static uint64_t last_fired_ms;

static struct subject *subject_of(struct timer *timer)
{
    return list_entry(timer, struct subject, timer);
}

static void fire(struct timer *timer)
{
    struct subject *subject = subject_of(timer);
    cr_assert(subject->expiry_ms != 0, "a timer that is not armed fired");
    cr_assert(subject->expiry_ms <= now_ms, "%lu fired at %lu", (unsigned long)subject->expiry_ms,
              (unsigned long)now_ms);
    cr_assert(subject->expiry_ms >= last_fired_ms, "not in order");
    last_fired_ms = subject->expiry_ms;
    subject->fired_ms = now_ms;
    subject->expiry_ms = 0;
}

static void start(uint64_t at_ms)
{
    now_ms = at_ms;
    timer_wheel_init(&wheel, now_ms);
    cr_assert(wheel.ahead_ms == UINT64_MAX && timer_next_ms(&wheel) == UINT64_MAX);
    for (int i = 0; i < TIMERS; i++)
        subjects[i] = (struct subject){.timer.fire = fire};
}

static void arm(struct subject *subject, uint64_t expiry_ms)
{
    subject->expiry_ms = expiry_ms;
    timer_arm(&wheel, &subject->timer, expiry_ms);
}

static void disarm(struct subject *subject)
{
    subject->expiry_ms = 0;
    timer_disarm(&wheel, &subject->timer);
}

static uint64_t earliest(void)
{
    uint64_t earliest_ms = UINT64_MAX;
    for (int i = 0; i < TIMERS; i++)
        if (subjects[i].expiry_ms && subjects[i].expiry_ms < earliest_ms)
            earliest_ms = subjects[i].expiry_ms;
    return earliest_ms;
}

static void advance(uint64_t to_ms)
{
    now_ms = to_ms;
    last_fired_ms = 0;
    timer_advance(&wheel, now_ms);
    cr_assert(earliest() > now_ms, "one that is due has not fired");
    cr_assert(timer_next_ms(&wheel) <= earliest(), "the next would be missed");
    cr_assert(timer_next_ms(&wheel) == UINT64_MAX || earliest() != UINT64_MAX);
}

/* Short ones, long ones, and ones beyond the wheel's horizon. */
static uint64_t random_span(void)
{
    unsigned bits = (unsigned)rand() % 40;
    return ((uint64_t)rand() << 20 ^ (uint64_t)rand()) & ((1ull << bits) - 1);
}

static void step(void)
{
    struct subject *subject = &subjects[rand() % TIMERS];
    switch (rand() % 4) {
    case 0:
    case 1:
        if (!subject->expiry_ms)
            arm(subject, now_ms + 1 + random_span());
        break;
    case 2:
        disarm(subject); /* armed or not */
        break;
    default:
        advance(rand() % 3 && earliest() != UINT64_MAX ? earliest() : now_ms + random_span());
    }
}

Test(timer, as_a_list_does)
{
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 20; round++) {
        start(1 + random_span());
        for (int i = 0; i < 5000; i++)
            step();
        for (int i = 0; i < 200 && earliest() != UINT64_MAX; i++)
            advance(earliest());
        cr_assert(earliest() == UINT64_MAX, "seed %u", seed);
        cr_assert(timer_next_ms(&wheel) == UINT64_MAX);
    }
}

Test(timer, what_is_late_fires_at_once)
{
    start(1000);
    arm(&subjects[0], 400);
    cr_assert(timer_next_ms(&wheel) <= 1000);
    advance(1000);
    cr_assert(subjects[0].fired_ms == 1000);
}

Test(timer, what_is_late_fires_wherever_now_is)
{
    for (uint64_t at_ms = 1024; at_ms < 1024 + TIMER_SLOT_COUNT; at_ms++) {
        start(at_ms);
        arm(&subjects[0], 400);
        cr_assert(timer_next_ms(&wheel) == at_ms);
        cr_assert(timer_next_ms(&wheel) == at_ms);
        advance(at_ms);
        cr_assert(subjects[0].fired_ms == at_ms);
    }
}

/* In its callback a timer arms itself, arms another that is due, and disarms a third. */
static void fire_and_meddle(struct timer *timer)
{
    fire(timer);
    if (timer != &subjects[0].timer)
        return;
    disarm(&subjects[2]);
    subjects[1].timer.fire = fire;
    arm(&subjects[1], now_ms);
    arm(&subjects[0], now_ms + 10);
    last_fired_ms = 0;
}

Test(timer, callbacks_meddle)
{
    start(5);
    subjects[0].timer.fire = fire_and_meddle;
    arm(&subjects[0], 70);
    arm(&subjects[2], 70);
    advance(70);
    cr_assert(subjects[0].fired_ms == 70 && subjects[1].fired_ms == 70);
    cr_assert(subjects[2].fired_ms == 0);
    subjects[0].timer.fire = fire;
    advance(79);
    cr_assert(subjects[0].fired_ms == 70);
    advance(80);
    cr_assert(subjects[0].fired_ms == 80);
}

/* A million at a time are to hold up nobody: each call does a part. */
enum { MANY = 20000, PART = 4096 };

static struct timer many[MANY];
static uint32_t fired_count;

static void count_fired(struct timer *timer)
{
    cr_assert(timer->expiry_ms <= now_ms);
    fired_count++;
}

static uint32_t fired_by(uint64_t at_ms)
{
    uint32_t before = fired_count;
    now_ms = at_ms;
    timer_advance(&wheel, now_ms);
    return fired_count - before;
}

static void arm_many(uint64_t first_ms, uint64_t span_ms)
{
    fired_count = 0;
    for (int i = 0; i < MANY; i++) {
        many[i] = (struct timer){.fire = count_fired};
        timer_arm(&wheel, &many[i], first_ms + (uint64_t)i % span_ms);
    }
}

Test(timer, many_at_one_time_fire_in_parts)
{
    start(1000);
    arm_many(1500, 1);
    cr_assert(fired_by(1499) == 0);
    for (uint32_t left = MANY; left > 0; left -= left < PART ? left : PART) {
        cr_assert(timer_next_ms(&wheel) <= 1500);
        cr_assert(fired_by(1500) == (left < PART ? left : PART));
    }
    cr_assert(timer_next_ms(&wheel) == UINT64_MAX);
}

static struct timer newcomer;
static uint32_t fired_before; /* the newcomer */

static void note_before(struct timer *timer)
{
    (void)timer;
    fired_before = fired_count;
}

static void arm_newcomer(struct timer *timer)
{
    count_fired(timer);
    timer_arm(&wheel, &newcomer, now_ms);
}

Test(timer, what_becomes_due_meanwhile_stands_behind_what_is_left)
{
    start(1000);
    arm_many(1500, 1);
    many[0].fire = arm_newcomer;
    newcomer.fire = note_before;
    while (timer_next_ms(&wheel) <= 1500)
        (void)fired_by(1500);
    cr_assert(fired_count == MANY && fired_before == MANY, "%u", fired_before);
}

/* How many timers are yet to be moved out of the slots of a level. */
static int left_on(int level)
{
    int count = 0;
    for (int slot = 0; slot < TIMER_SLOT_COUNT; slot++)
        for (struct list *head = &wheel.slots.lists[level][slot], *node = head->next; node != head;
             node = node->next)
            count++;
    return count;
}

/* Slots of the level have 4,096 ms: all of these are in one. */
Test(timer, many_of_one_slot_are_moved_ahead_in_parts)
{
    enum { START_MS = 10 * 4096 };
    start(START_MS - 2 * 4096);
    arm_many(START_MS, 4096);
    cr_assert(left_on(2) == MANY);
    cr_assert(timer_next_ms(&wheel) == START_MS - 4096, "it is begun in time");
    cr_assert(fired_by(START_MS - 4097) == 0 && left_on(2) == MANY, "and no sooner");
    for (int left = MANY; left > 0; left -= left < PART ? left : PART) {
        cr_assert(left_on(2) == left);
        cr_assert(timer_next_ms(&wheel) <= START_MS - 4096);
        cr_assert(fired_by(START_MS - 4096) == 0);
    }
    cr_assert(left_on(2) == 0);
    cr_assert(timer_next_ms(&wheel) == START_MS);
    for (uint64_t ms = START_MS; ms < START_MS + 4096; ms++)
        cr_assert(fired_by(ms) == MANY / 4096 + (ms - START_MS < MANY % 4096), "at %lu",
                  (unsigned long)ms);
}

/* What was placed ahead is disarmed, or waits behind a slot that comes into use before its. */
Test(timer, what_is_placed_ahead_may_change)
{
    enum { BLOCK_MS = 1 << 18 }; /* of the level above that */
    start(BLOCK_MS - 3000);
    arm_many(BLOCK_MS + 10, 1);
    while (timer_next_ms(&wheel) <= now_ms)
        cr_assert(fired_by(now_ms) == 0);
    struct timer sooner = {.fire = count_fired};
    struct timer later = {.fire = count_fired};
    timer_arm(&wheel, &later, BLOCK_MS + 10);
    for (int i = 1; i < MANY; i++)
        timer_disarm(&wheel, &many[i]);
    cr_assert(fired_by(BLOCK_MS - 2000) == 0);
    timer_arm(&wheel, &sooner, BLOCK_MS + 9);
    cr_assert(fired_by(BLOCK_MS + 8) == 0);
    cr_assert(fired_by(BLOCK_MS + 9) == 1 && !sooner.armed);
    cr_assert(fired_by(BLOCK_MS + 10) == 2 && !later.armed && !many[0].armed);
    cr_assert(timer_next_ms(&wheel) == UINT64_MAX);
}

/* What nobody waits for any more wakes nobody, wherever it had been placed. */
Test(timer, what_is_placed_ahead_and_disarmed_is_nothing)
{
    enum { START_MS = 10 * 4096 };
    start(START_MS - 4096);
    arm(&subjects[0], START_MS + 70);
    timer_advance(&wheel, now_ms);
    cr_assert(left_on(2) == 0 && timer_next_ms(&wheel) == START_MS);
    disarm(&subjects[0]);
    cr_assert(timer_next_ms(&wheel) == UINT64_MAX);
    advance(START_MS - 1);
    arm(&subjects[0], START_MS + 64);
    advance(START_MS + 63);
    advance(START_MS + 64);
    cr_assert(subjects[0].fired_ms == START_MS + 64);
}
