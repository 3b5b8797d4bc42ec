/* SPDX-License-Identifier: MIT */
#include "load/chart.h"

#include <math.h>

enum { WIDTH = 840, HEIGHT = 300, LEFT = 70, RIGHT = 20, TOP = 14, BOTTOM = 34, X_MARKS = 8 };

/* What is shown of either axis; of a logarithmic one, of the logarithms. */
struct range {
    double x_min, x_max, y_min, y_max;
};

static double y_of(const struct chart *chart, double y)
{
    return chart->is_log ? log10(y > 1e-4 ? y : 1e-4) : y;
}

static struct range range_of(const struct chart *chart)
{
    struct range range = {INFINITY, -INFINITY, INFINITY, -INFINITY};
    for (size_t s = 0; s < chart->series_count; s++) {
        const struct chart_series *series = &chart->series[s];
        for (size_t i = 0; i < series->count; i++) {
            range.x_min = fmin(range.x_min, series->x[i]);
            range.x_max = fmax(range.x_max, series->x[i]);
            range.y_min = fmin(range.y_min, y_of(chart, series->y[i]));
            range.y_max = fmax(range.y_max, y_of(chart, series->y[i]));
        }
    }
    range.y_min = chart->is_log ? floor(range.y_min) : 0;
    range.y_max = chart->is_log ? ceil(range.y_max) : range.y_max * 1.1;
    if (!(range.y_max > range.y_min))
        range.y_max = range.y_min + 1;
    if (!(range.x_max > range.x_min))
        range.x_max = range.x_min + 1;
    return range;
}

static double left_of(const struct range *range, double x)
{
    return LEFT + (x - range->x_min) / (range->x_max - range->x_min) * (WIDTH - LEFT - RIGHT);
}

static double top_of(const struct range *range, double y)
{
    return HEIGHT - BOTTOM -
           (y - range->y_min) / (range->y_max - range->y_min) * (HEIGHT - TOP - BOTTOM);
}

static void write_y_mark(FILE *to, const struct range *range, double at, double value)
{
    double top = top_of(range, at);
    fprintf(to, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
            WIDTH - RIGHT, top, top);
    fprintf(to, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT - 8, top + 4,
            value);
}

/* 1, 2 or 5 of a power of ten, so that there are about five marks. */
static double step_of(double span)
{
    double power = pow(10, floor(log10(span / 5))), steps = span / 5 / power;
    return power * (steps < 2 ? 1 : steps < 5 ? 2 : 5);
}

static void write_y_axis(FILE *to, const struct chart *chart, const struct range *range)
{
    double step = chart->is_log ? 1 : step_of(range->y_max - range->y_min);
    for (int i = 0; range->y_min + i * step <= range->y_max + step / 1000; i++) {
        double at = range->y_min + i * step;
        write_y_mark(to, range, at, chart->is_log ? pow(10, at) : at);
    }
    fprintf(to, "<text x=\"14\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 14 %d)\">",
            HEIGHT / 2, HEIGHT / 2);
    fprintf(to, "%s</text>\n", chart->y_unit);
}

static void write_x_axis(FILE *to, const struct chart *chart, const struct range *range)
{
    double span = range->x_max - range->x_min, step = span <= X_MARKS ? 1 : step_of(span);
    for (double x = ceil(range->x_min); x <= range->x_max + 1e-9; x += step) {
        fprintf(to, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", left_of(range, x),
                HEIGHT - 12);
        chart->x_mark(to, x);
        fputs("</text>\n", to);
    }
}

static void write_series(FILE *to, const struct chart *chart, const struct range *range, size_t s)
{
    const struct chart_series *series = &chart->series[s];
    fprintf(to, "<polyline class=\"s%zu\" points=\"", s);
    for (size_t i = 0; i < series->count; i++)
        fprintf(to, "%.1f,%.1f ", left_of(range, series->x[i]),
                top_of(range, y_of(chart, series->y[i])));
    fputs("\"/>\n", to);
}

static void write_legend(FILE *to, const struct chart *chart)
{
    fputs("<p class=\"legend\">", to);
    for (size_t s = 0; s < chart->series_count; s++)
        fprintf(to, "<span class=\"k%zu\">&#9632;</span> %s ", s, chart->series[s].name);
    fputs("</p>\n", to);
}

void chart_write(FILE *to, const struct chart *chart)
{
    struct range range = range_of(chart);
    fprintf(to, "<h2>%s</h2>\n", chart->title);
    write_legend(to, chart);
    fprintf(to, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT,
            chart->title);
    if (isfinite(range.x_min)) {
        write_y_axis(to, chart, &range);
        write_x_axis(to, chart, &range);
        for (size_t s = 0; s < chart->series_count; s++)
            write_series(to, chart, &range, s);
    }
    fputs("</svg>\n", to);
}
