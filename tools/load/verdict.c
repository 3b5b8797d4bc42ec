/* SPDX-License-Identifier: MIT */
#include "load/verdict.h"

enum verdict verdict_of(const struct plan *plan, const struct results *results)
{
    const double busy_bound = 0.95;
    double elapsed_s = results_elapsed_s(results);
    if (plan->is_open_loop)
        return histogram_quantile_ns(&results->lag, 0.99) > plan->lag_bound_ns ? VERDICT_LAG
                                                                               : VERDICT_SERVER;
    return (double)results->cpu_ns / 1e9 > busy_bound * elapsed_s ? VERDICT_CPU : VERDICT_SERVER;
}
