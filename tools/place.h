/* SPDX-License-Identifier: MIT */
/* Where `weir serve` listens: "ADDRESS:PORT", "unix:PATH", or sockets that are there already, of
 * systemd's or of the server that is replaced. */
#ifndef TOOLS_PLACE_H
#define TOOLS_PLACE_H

#include "service.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <weir/weir.h>

enum { PLACE_COUNT_MAX = 16, PLACE_TEXT_SIZE = WEIR_LOCAL_TEXT_SIZE + 16 };

struct place {
    char text[PLACE_TEXT_SIZE]; /* as it was given; of systemd's "systemd " and the address */
    bool is_local;
    weir_address address;     /* once it listens with the port that it has */
    weir_local_address local; /* of a local one */
    int fds[WEIR_FDS_MAX];    /* sockets that are there */
    int fd_count;
    weir_socket sockets[WEIR_FDS_MAX]; /* once it listens: services, or UDP sockets */
    size_t socket_count;
    dev_t device; /* of its file, */
    ino_t inode;  /* 0: there is none that is ours */
};

struct places {
    struct place at[PLACE_COUNT_MAX];
    size_t count;
    bool systemd; /* whatever systemd has passed, too */
};

/* 0, or -EINVAL with the reason in weir_last_error_text. */
int place_read(struct place *place, const char *text);
/* "ADDRESS:PORT", "unix:PATH", "systemd", "systemd:NAME". As place_read. */
int places_add(struct places *places, const char *text);

/* Those of systemd are asked for, and neither it nor a predecessor has passed any. */
bool places_lack_systemd(const struct places *places);

/* Sockets of a predecessor's place become those of the one with that text. False: nobody wants
 * them. */
bool places_inherit(struct places *places, const char *text, const int *fds, int fd_count);

/* Starts the service everywhere. */
int places_serve(struct places *places, weir_runtime *runtime, const struct service *service,
                 const weir_option *options);

/* A successor goes on with the sockets, and has their files. */
void places_leave(struct places *places);

/* As whoever wants to connect writes it. Returns `text`. */
const char *place_format(const struct place *place, char text[PLACE_TEXT_SIZE]);

/* What is at its path now is its file. */
void place_note_file(struct place *place);
/* The file that it has made, if it is there still. */
void place_remove_file(const struct place *place);

#endif
