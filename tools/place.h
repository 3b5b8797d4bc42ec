/* SPDX-License-Identifier: MIT */
/* Where `weir serve` listens: "ADDRESS:PORT" or "unix:PATH". */
#ifndef TOOLS_PLACE_H
#define TOOLS_PLACE_H

#include "service.h"

#include <stdbool.h>
#include <sys/types.h>
#include <weir/weir.h>

struct place {
    const char *text; /* as it was given */
    bool is_local;
    weir_address address;     /* once it listens with the port that it has */
    weir_local_address local; /* of a local one */
    dev_t device;             /* of its file, */
    ino_t inode;              /* 0: there is none that is ours */
};

enum { PLACE_TEXT_SIZE = WEIR_LOCAL_TEXT_SIZE };

/* 0, or -EINVAL with the reason in weir_last_error_text. */
int place_read(struct place *place, const char *text);

/* Starts the service there. */
int place_serve(struct place *place, weir_runtime *runtime, const struct service *service,
                const weir_option *options);

/* As whoever wants to connect writes it. Returns `text`. */
const char *place_format(const struct place *place, char text[PLACE_TEXT_SIZE]);

/* The file that it has made, if it is there still. */
void place_remove_file(const struct place *place);

#endif
