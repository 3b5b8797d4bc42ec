/* SPDX-License-Identifier: MIT */
/* Ordinary threads of the program: calls that wait. */
#ifndef SIM_THREAD_H
#define SIM_THREAD_H

#include <stdint.h>

/* One more, that does so many things. */
void thread_start(uint32_t acts);

#endif
