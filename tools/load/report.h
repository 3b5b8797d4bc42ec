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

#endif
