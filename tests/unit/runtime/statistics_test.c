/* SPDX-License-Identifier: MIT */
/* The sums against the document's own recurrence. */
#include "runtime/socket/statistics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct recurrence {
    double average;
    double deviation;
    double count;
};

static void count(struct recurrence *recurrence, double size)
{
    recurrence->count += 1;
    recurrence->average += (size - recurrence->average) / recurrence->count;
    recurrence->deviation +=
        ((size - recurrence->average) - recurrence->deviation) / recurrence->count;
}

static bool is_about(uint32_t got, double expected)
{
    double whole = (double)(uint64_t)(expected < 0 ? -expected : expected);
    double apart = (double)got - whole;
    return apart >= -1 && apart <= 1; /* both are cut, near a whole number */
}

Test(statistics, as_the_documents_recurrence)
{
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 200; round++) {
        struct traffic traffic = {0};
        uint32_t max = 0;
        struct recurrence recurrence = {0};
        unsigned most = 1u << rand() % 20;
        for (int i = 0; i < 500; i++) {
            uint64_t size = (uint64_t)rand() % most;
            traffic_count(&traffic, &max, size);
            count(&recurrence, (double)size);
            cr_assert(is_about(traffic_average(&traffic), recurrence.average), "seed %u", seed);
            cr_assert(is_about(traffic_deviation(&traffic), recurrence.deviation), "seed %u", seed);
        }
    }
}

Test(statistics, nothing_yet)
{
    struct traffic traffic = {0};
    cr_assert(traffic_average(&traffic) == 0 && traffic_deviation(&traffic) == 0);
}

Test(statistics, the_mean_outlives_a_counter_of_32_bits)
{
    struct traffic traffic = {.count = UINT32_MAX, .octets = 100ull * UINT32_MAX};
    uint32_t max = 100;
    traffic_count(&traffic, &max, 100);
    cr_assert(traffic_average(&traffic) == 100 && traffic_deviation(&traffic) == 0);
    cr_assert((uint32_t)traffic.count == 0);
}
