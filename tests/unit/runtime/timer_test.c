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
