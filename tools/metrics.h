/* SPDX-License-Identifier: MIT */
/* `weir serve --metrics ADDRESS:PORT`: the figures, where Prometheus looks for them. */
#ifndef TOOLS_METRICS_H
#define TOOLS_METRICS_H

#include <stdbool.h>
#include <weir/weir.h>

/* Answers GET /metrics at the address with the runtime's figures. 0, with the address that it is
 * bound to, or an error. */
int metrics_serve(weir_runtime *runtime, const weir_address *address, bool shared,
                  weir_address *bound);

#endif
