/* SPDX-License-Identifier: MIT */
#include "load/rounds.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *text;
    bool more_is_better;
} rows[ROUNDS_FIGURES] = {
    [ROUNDS_RATE] = {"answered_per_second", "answered/s", true},
    [ROUNDS_MEAN] = {"mean_us", "response mean", false},
    [ROUNDS_P50] = {"p50_us", "response p50", false},
    [ROUNDS_P99] = {"p99_us", "response p99", false},
    [ROUNDS_P99_9] = {"p99_9_us", "response p99.9", false},
    [ROUNDS_FAILED] = {"failed", "failed", false},
};

const char *rounds_name(enum rounds_figure figure)
{
    return rows[figure].name;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* How many are left off at either end: the most for which a fair coin falls so one-sidedly in no
 * more than one case of twenty. */
static uint32_t left_off(uint32_t count)
{
    double probability = pow(0.5, count), sum = probability;
    uint32_t off = 0;
    while (2 * (sum + probability * (count - off) / (off + 1)) <= 0.05) {
        probability *= (double)(count - off) / (off + 1);
        sum += probability;
        off++;
    }
    return off;
}

static uint32_t common_count(const struct rounds *a, const struct rounds *b)
{
    return a->count < b->count ? a->count : b->count;
}

bool rounds_compare(const struct rounds *a, const struct rounds *b, enum rounds_figure figure,
                    struct rounds_ratio *ratio)
{
    double ratios[ROUNDS_MAX];
    uint32_t count = common_count(a, b);
    if (count < ROUNDS_COMPARED_MIN)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!(a->figures[i][figure] > 0) || !(b->figures[i][figure] > 0))
            return false;
        ratios[i] = b->figures[i][figure] / a->figures[i][figure];
    }
    qsort(ratios, count, sizeof(ratios[0]), by_size);
    uint32_t off = left_off(count);
    ratio->median = (ratios[(count - 1) / 2] + ratios[count / 2]) / 2;
    ratio->low = ratios[off];
    ratio->high = ratios[count - 1 - off];
    return true;
}

static const char *verdict_of(enum rounds_figure figure, const struct rounds_ratio *ratio)
{
    if (ratio->low <= 1 && ratio->high >= 1)
        return "no difference seen";
    return (ratio->low > 1) == rows[figure].more_is_better ? "B is better" : "A is better";
}

static double sum_of(const struct rounds *rounds, enum rounds_figure figure)
{
    double sum = 0;
    for (uint32_t i = 0; i < rounds->count; i++)
        sum += rounds->figures[i][figure];
    return sum;
}

int rounds_print(FILE *to, const struct rounds *a, const struct rounds *b)
{
    uint32_t count = common_count(a, b);
    if (count < ROUNDS_COMPARED_MIN) {
        fprintf(to, "%u rounds of both; a verdict needs %d at least: --rounds\n", count,
                ROUNDS_COMPARED_MIN);
        return EXIT_FAILURE;
    }
    fprintf(to, "B / A, %u rounds          median   95%% interval\n", count);
    for (int figure = 0; figure < ROUNDS_FAILED; figure++) {
        struct rounds_ratio ratio;
        if (rounds_compare(a, b, figure, &ratio))
            fprintf(to, "%-22s %8.3f   %.3f to %.3f  %s\n", rows[figure].text, ratio.median,
                    ratio.low, ratio.high, verdict_of(figure, &ratio));
    }
    fprintf(to, "failed: A %.0f, B %.0f\n", sum_of(a, ROUNDS_FAILED), sum_of(b, ROUNDS_FAILED));
    return EXIT_SUCCESS;
}
