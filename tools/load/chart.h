/* SPDX-License-Identifier: MIT */
/* A chart of lines as SVG, for a page that needs nothing beside itself. */
#ifndef LOAD_CHART_H
#define LOAD_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CHART_SERIES_MAX = 4, CHART_POINTS_MAX = 2000 };

struct chart_series {
    const char *name;
    size_t count;
    double x[CHART_POINTS_MAX];
    double y[CHART_POINTS_MAX];
};

struct chart {
    const char *title;
    const char *y_unit;
    /* Writes what stands at a mark of the x axis. */
    void (*x_mark)(FILE *to, double x);
    bool is_log; /* the y axis */
    size_t series_count;
    struct chart_series series[CHART_SERIES_MAX];
};

void chart_write(FILE *to, const struct chart *chart);

#endif
