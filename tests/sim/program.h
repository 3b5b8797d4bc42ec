/* SPDX-License-Identifier: MIT */
/* A random application: servers and clients that use all of the public interface that a scheduler
 * may use, from callbacks and between them. */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/socket.h>

struct program_style {
    uint32_t echo;    /* per mille of packets that are sent back */
    uint32_t act;     /* of callbacks in which something is done */
    uint32_t options; /* of those: setopts */
    uint32_t close;
    uint32_t type;   /* of setopts: another packet type */
    uint32_t active; /* what listeners start with, as of WEIR_ACTIVE_* */
    bool shares;     /* packets are large, and keep their buffers */
    uint32_t threads;
    uint32_t mailboxes;
    uint32_t look_up;     /* of ticks in which something is done: a name is looked up */
    uint32_t afar;        /* of things done: to sockets of other schedulers */
    uint32_t forward;     /* of packets: to another socket of the scheduler */
    uint32_t udp;         /* of ticks in which something is done: to UDP sockets */
    uint32_t named;       /* of things done to those: a datagram is sent to a name */
    uint32_t processes;   /* of ticks in which something is done: one is spawned */
    uint32_t limit;       /* connections that a listener may have; 0: any number */
    uint32_t calls;       /* of what processes do: calls on sockets */
    uint32_t timers;      /* of ticks in which something is done: to timers */
    uint32_t reach;       /* of things done to connections: something is run for them, cancelled */
    uint32_t idle;        /* of options that are set: idle_timeout */
    uint32_t proxied;     /* of listeners: proxies connect to them */
    uint32_t local;       /* of listeners and connects: of the Unix domain */
    uint32_t descriptors; /* {descriptors,_} of those; 0: they have none */
    bool passes;          /* their peers send some */
    uint32_t own_udp;     /* of calls of processes: to UDP sockets */
    uint32_t spawning;    /* of services: a process for each connection */
    uint32_t giving;      /* of things done to sockets: they are given to a process */
    bool insists;         /* does again at once what has failed at once, posts work from work */
};
extern struct program_style program_style;

/* A file that is sent, and what is in it; more is there than belongs to it. */
enum { PROGRAM_FILE_SIZE = 100000, PROGRAM_FILE_ROOM = 120000 };
extern uint8_t program_file_bytes[PROGRAM_FILE_ROOM];
int program_file(void);

/* Its threads do `ticks_most` things each. */
void program_start(weir_runtime *runtime, uint32_t ticks_most);
/* Something is done between callbacks, by what was posted to the scheduler. */
void program_tick(void *unused);
/* The same in detail, and what threads do besides. */
void program_act_on_listener(void);
void program_act_on_connection(void);
void program_act_on_datagrams(void);
void program_act_on_timers(void);
void program_connect_and_wait(void);
void program_look_up_and_wait(void);
void program_read_mail(uint32_t most);
bool program_winds_down(void);
/* Asks for nothing more; gives back what it holds now, or else in the end. */
void program_wind_down(bool gives_back);
/* Whether any may be held by it, or by a call that comes home elsewhere. */
bool program_may_hold_packets(void);
void program_end(void);

#endif
