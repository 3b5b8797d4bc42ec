/* SPDX-License-Identifier: MIT */
/* Operations in flight, and how they come to their end. */
#ifndef SIM_OPERATION_H
#define SIM_OPERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sim/kernel.h"

void operation_reset(void);

/* What has been submitted begins: done at once if it can be, else it waits. */
void operation_begin(uint32_t file, const struct op *op);

/* An entry of a connect also has an address. */
void operation_begin_connect(uint32_t file, const struct op *op, const struct sockaddr *address);

/* The operation is over: its place is free. The caller posts its completion; or it is this. */
void operation_complete(struct op *op, int32_t result);
void operation_finish(struct op *op);

/* Ends that of a ring with this user_data, unless it is all but done. Whether it was found. */
bool operation_cancel(uint64_t user_data, uint8_t ring);

/* Whether any operation of the file is in flight. */
bool operation_is_in_flight(const struct file *file);
uint32_t operation_in_flight_count(void);

#endif
