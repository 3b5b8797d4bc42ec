/* SPDX-License-Identifier: MIT */
/*
 * The files that look-ups stand on, /etc/hosts and /etc/resolv.conf say: read when they are first
 * needed, and again when they have changed, of which the kernel tells. Where it will not tell,
 * they are looked at every five seconds. One that cannot be read any more counts as it was.
 */
#ifndef RUNTIME_RESOLVER_FILES_H
#define RUNTIME_RESOLVER_FILES_H

#include <sys/stat.h>

#include "lookup/lookup.h"

struct scheduler;
struct watch;

struct watched_file {
    const char *path; /* "": none */
    int wanted;       /* its inotify watches: the file's and its folder's; -1: none */
    int folder;
    bool stale;
    uint64_t looked_ns;
    struct stat status; /* as it was read */
};

struct files {
    struct scheduler *scheduler;
    const struct inet_config *config;
    int inotify; /* -1: the kernel will not tell */
    struct watch *watch;
    struct watched_file hosts_file;
    struct watched_file resolv_conf;
    struct host_table hosts;
    struct text_list search;
    struct server_list nameservers;
};

/* 0 or -ENOMEM. */
int files_open(struct files *files, struct scheduler *scheduler, const struct inet_config *config);
void files_close(struct files *files);

/* Reads what has changed. Whether name servers or domains may be others now. -ENOMEM. */
int files_update(struct files *files, bool *resolv_conf_changed);

#endif
