/* SPDX-License-Identifier: MIT */
/* One page with everything in it: no script, nothing that it loads. */
#include "base/memory.h"
#include "load/chart.h"
#include "load/report.h"
#include "load/verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <weir/version.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>weir load</title>\n<style>\n"
    ":root{color-scheme:light dark;--a:#0b63ce;--b:#c2410c;--c:#15803d;--d:#7e22ce}\n"
    "@media(prefers-color-scheme:dark){:root{--a:#6cb2ff;--b:#fb923c;--c:#4ade80;--d:#c084fc}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:880px;margin:2em auto;padding:0 1em}\n"
    "h1{font-size:1.4em;overflow-wrap:anywhere}h2{font-size:1.05em;margin:1.6em 0 0}\n"
    "svg{width:100%;font-size:12px}svg text{fill:currentColor}\n"
    ".grid{stroke:currentColor;opacity:.15}polyline{fill:none;stroke-width:2}\n"
    ".s0{stroke:var(--a)}.s1{stroke:var(--b)}.s2{stroke:var(--c)}.s3{stroke:var(--d)}\n"
    ".k0{color:var(--a)}.k1{color:var(--b)}.k2{color:var(--c)}.k3{color:var(--d)}\n"
    ".legend{margin:0}\n"
    ".limited{font-weight:bold;color:var(--b)}\n"
    "</style></head><body>\n";

static void write_escaped(FILE *to, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", to);
            break;
        case '&':
            fputs("&amp;", to);
            break;
        default:
            fputc(*text, to);
        }
    }
}

/* x counts the nines: 1 is 90%, 2 is 99%. */
static void mark_nines(FILE *to, double nines)
{
    if (nines < 0.5)
        fputs("0%", to);
    else
        fprintf(to, "%.*f%%", nines > 2 ? (int)nines - 2 : 0, 100 - 100 * pow(10, -nines));
}

static void mark_second(FILE *to, double second)
{
    fprintf(to, "%.0f s", second);
}

static void add_point(struct chart_series *series, double x, double y)
{
    if (series->count == CHART_POINTS_MAX)
        return;
    series->x[series->count] = x;
    series->y[series->count++] = y;
}

static void add_curve(struct chart *chart, const char *name, const struct histogram *histogram)
{
    struct chart_series *series = &chart->series[chart->series_count++];
    double most = histogram->count > 1 ? log10((double)histogram->count) : 1;
    *series = (struct chart_series){.name = name};
    for (int i = 0; histogram->count > 0 && i / 40.0 <= most; i++) {
        double nines = i / 40.0;
        double value = (double)histogram_quantile_ns(histogram, 1 - pow(10, -nines));
        add_point(series, nines, value / 1e6);
    }
}

static void write_curves(FILE *to, struct chart *chart, const struct results *results)
{
    *chart = (struct chart){
        .title = "Time by percentile", .y_unit = "ms", .x_mark = mark_nines, .is_log = true};
    add_curve(chart, "response, from the planned time", &results->response);
    add_curve(chart, "service, from the sending", &results->service);
    add_curve(chart, "send lag", &results->lag);
    if (results->queue.count > 0)
        add_curve(chart, "own queue, from the kernel's time stamp", &results->queue);
    chart_write(to, chart);
}

/* Of a long run every second, third, ... of the rows. */
static uint32_t stride_of(const struct results *results)
{
    return results->second_count / CHART_POINTS_MAX + 1;
}

static void write_rates(FILE *to, struct chart *chart, const struct results *results)
{
    *chart = (struct chart){.title = "Requests per second",
                            .y_unit = "per second",
                            .x_mark = mark_second,
                            .series_count = 2};
    chart->series[0].name = "answered";
    chart->series[1].name = "failed";
    for (uint32_t i = 0; i < results->second_count; i += stride_of(results)) {
        add_point(&chart->series[0], i + 1, (double)results->seconds[i].answered);
        add_point(&chart->series[1], i + 1, (double)results->seconds[i].failed);
    }
    chart_write(to, chart);
}

static void write_times(FILE *to, struct chart *chart, const struct results *results)
{
    *chart = (struct chart){.title = "Response over time",
                            .y_unit = "ms",
                            .x_mark = mark_second,
                            .is_log = true,
                            .series_count = 3};
    chart->series[0].name = "p50";
    chart->series[1].name = "p99";
    chart->series[2].name = "most";
    for (uint32_t i = 0; i < results->second_count; i += stride_of(results)) {
        const struct results_second *second = &results->seconds[i];
        if (second->answered + second->failed == 0)
            continue;
        add_point(&chart->series[0], i + 1, (double)second->p50_ns / 1e6);
        add_point(&chart->series[1], i + 1, (double)second->p99_ns / 1e6);
        add_point(&chart->series[2], i + 1, (double)second->max_ns / 1e6);
    }
    chart_write(to, chart);
}

/* The settings and figures as they are printed too. */
static void write_text(FILE *to, const struct plan *plan, const struct results *results)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return;
    report_text(memory, plan, results);
    fputs("<pre>", to);
    if (fclose(memory) == 0)
        write_escaped(to, text);
    fputs("</pre>\n", to);
    free(text); /* open_memstream's */
}

static void write_foot(FILE *to)
{
    struct utsname name;
    char when[64];
    time_t now = time(NULL);
    struct tm local;
    uname(&name);
    strftime(when, sizeof(when), "%F %T %z", localtime_r(&now, &local));
    fprintf(to, "<p>%s, Linux %s, %s, %ld cores; weir %s</p>\n</body></html>\n", when, name.release,
            name.machine, sysconf(_SC_NPROCESSORS_ONLN), weir_version());
}

void report_html(FILE *to, const struct plan *plan, const struct results *results)
{
    struct chart *chart = memory_allocate(sizeof(*chart));
    fputs(head, to);
    fputs("<h1>weir load ", to);
    write_escaped(to, plan->url);
    fputs("</h1>\n", to);
    if (verdict_of(plan, results) != VERDICT_SERVER)
        fputs("<p class=\"limited\">The client was the limit: this says little about the "
              "server.</p>\n",
              to);
    write_text(to, plan, results);
    if (chart) {
        write_curves(to, chart, results);
        write_rates(to, chart, results);
        write_times(to, chart, results);
    }
    memory_free(chart);
    write_foot(to);
}
