/* SPDX-License-Identifier: MIT */
/* A random application: servers and clients that use all of the public interface that a scheduler
 * may use, from callbacks and between them. */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include <stdint.h>
#include <weir/socket.h>

struct program_style {
    uint32_t echo;    /* per mille of packets that are sent back */
    uint32_t act;     /* of callbacks in which something is done */
    uint32_t options; /* of those: setopts */
    uint32_t close;
    uint32_t type;   /* of setopts: another packet type */
    uint32_t active; /* what listeners start with, as of WEIR_ACTIVE_* */
};
extern struct program_style program_style;

/* A file that is sent, and what is in it; more is there than belongs to it. */
enum { PROGRAM_FILE_SIZE = 100000, PROGRAM_FILE_ROOM = 120000 };
extern uint8_t program_file_bytes[PROGRAM_FILE_ROOM];
int program_file(void);

void program_start(weir_runtime *runtime);
/* Something is done between callbacks, by what was posted to the scheduler. */
void program_tick(void *unused);
/* Gives back what it holds, and asks for nothing more. */
void program_wind_down(void);
/* The file of a listener that peers may connect to; NO_LINK: none. */
uint32_t program_listener(void);

#endif
