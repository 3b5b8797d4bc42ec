/* SPDX-License-Identifier: MIT */
/* What the random application's sockets are made with. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <weir/options.h>

/* Until the next are asked for. */
const weir_option *options_some(void);
/* Those, with one more. */
const weir_option *options_with(weir_option option);
/* Those, with what only a listener takes; `proxied`: proxies connect to it. */
const weir_option *options_of_listener(bool proxied);
int32_t options_some_active(void);

#endif
