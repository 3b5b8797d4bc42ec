/* SPDX-License-Identifier: MIT */
/* Tables for other programs: .hgrm as HdrHistogram's plotter reads it, and CSV. */
#include "load/report.h"

#include <inttypes.h>
#include <math.h>

/* Value in ms, percentile, how many up to it, 1/(1-percentile): five rows for each halving of what
 * is left above. */
void report_hgrm(FILE *to, const struct plan *plan, const struct results *results)
{
    const struct histogram *histogram = &results->response;
    double most = (double)histogram->count;
    (void)plan;
    fprintf(to, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for (int i = 0; histogram->count > 0; i++) {
        int halvings = i / 5;
        double above = pow(0.5, halvings) * (1 - 0.1 * (i % 5));
        if (above * most < 1)
            break;
        uint64_t value_ns = histogram_quantile_ns(histogram, 1 - above);
        fprintf(to, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", (double)value_ns / 1e6, 1 - above,
                histogram_count_to(histogram, value_ns), 1 / above);
    }
    fprintf(to, "%12.3f %2.12f %10" PRIu64 "\n", (double)histogram->max_ns / 1e6, 1.0,
            histogram->count);
    fprintf(to, "#[Mean    = %12.3f]\n#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
            histogram_mean_ns(histogram) / 1e6, (double)histogram->max_ns / 1e6, histogram->count);
}

void report_csv(FILE *to, const struct plan *plan, const struct results *results)
{
    (void)plan;
    fputs("second,answered,failed,p50_us,p99_us,max_us\n", to);
    for (uint32_t i = 0; i < results->second_count; i++) {
        const struct results_second *second = &results->seconds[i];
        fprintf(to, "%u,%" PRIu64 ",%" PRIu64 ",%.3f,%.3f,%.3f\n", i + 1, second->answered,
                second->failed, (double)second->p50_ns / 1e3, (double)second->p99_ns / 1e3,
                (double)second->max_ns / 1e3);
    }
}
