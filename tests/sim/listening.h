/* SPDX-License-Identifier: MIT */
/* The program's listeners and services. */
#ifndef SIM_LISTENING_H
#define SIM_LISTENING_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/socket.h>

struct listening {
    weir_socket handle;
    bool busy; /* a thread is about to open it */
    bool serves;
};

void listening_reset(weir_runtime *runtime);

/* Opens one of them, unless it is open. */
void listening_open_some(void);
struct listening *listening_some(void);
void listening_close(struct listening *listening);
void listening_set(const struct listening *listening);

/* The file of one that peers may connect to; NO_LINK: none. */
uint32_t listening_file(void);

/* All is quiet: what was closed is. */
void listening_check_quiet(void);

#endif
