/* SPDX-License-Identifier: MIT */
#ifndef RUNTIME_CLOSE_CALL_H
#define RUNTIME_CLOSE_CALL_H

#include <stdint.h>
#include <weir/socket.h>

/* Closes what there is of something that could not be made as a whole: some have no handle yet.
 * What has been said of why not stays. */
void close_parts(const weir_socket *parts, uint32_t count);

#endif
