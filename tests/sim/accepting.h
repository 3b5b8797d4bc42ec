/* SPDX-License-Identifier: MIT */
/* Listeners in the simulated kernel: connections that wait in a backlog, and are accepted. */
#ifndef SIM_ACCEPTING_H
#define SIM_ACCEPTING_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/kernel.h"

/* Another one waits. */
void accepting_queue(uint32_t listener, uint32_t link);

/* As many as there are, or one, for an operation. */
void accepting_do(struct file *listener, struct op *op);

/* As accept(2) of who does not wait. */
int accepting_at_once(const struct file *listener);
bool accepting_is_ready(const struct file *listener);

/* It is closed: so is what waits, unless others share its socket. */
void accepting_end(struct file *listener);

#endif
