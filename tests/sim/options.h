/* SPDX-License-Identifier: MIT */
/* What the random application's sockets are made with. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <weir/options.h>

/* Until the next are asked for. */
const weir_option *options_some(void);
/* Those, with what only a service takes. */
const weir_option *options_of_service(void);
int32_t options_some_active(void);

#endif
