/* SPDX-License-Identifier: MIT */
/* Results for people and for programs. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load/plan.h"
#include "load/results.h"

#include <stdio.h>

void report_text(FILE *to, const struct plan *plan, const struct results *results);

/* As docs/load.schema.json says. */
void report_json(FILE *to, const struct plan *plan, const struct results *results);

/* Percentiles of the response as HdrHistogram's plotter reads them. */
void report_hgrm(FILE *to, const struct plan *plan, const struct results *results);

/* A row for each second. */
void report_csv(FILE *to, const struct plan *plan, const struct results *results);

/* A page for a browser. */
void report_html(FILE *to, const struct plan *plan, const struct results *results);

#endif
