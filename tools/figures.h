/* SPDX-License-Identifier: MIT */
/* A line of live figures on a terminal, and the totals at the end. */
#ifndef TOOLS_FIGURES_H
#define TOOLS_FIGURES_H

#include <weir/weir.h>

struct figures {
    weir_totals sum;
    weir_totals each[64];
    double at_s;
};

/* Remembers where the figures stand. */
void figures_begin(struct figures *figures, const weir_runtime *runtime);

/* One line, in place, of what has changed since the last. */
void figures_show(struct figures *figures, const weir_runtime *runtime);

void figures_print_totals(const weir_runtime *runtime);

#endif
