/* SPDX-License-Identifier: MIT */
/*
 * The inet configuration: how names are looked up. It is made of a file of terms and the system's
 * files that those name, and then only read, by any number of users on any thread.
 */
#ifndef ADDRESS_INET_CONFIG_H
#define ADDRESS_INET_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "address/host_table.h"
#include "address/name.h"
#include "address/text_list.h"

/* yp, nis and nisplus are asked by the C library too. */
enum lookup_method {
    LOOKUP_NATIVE,
    LOOKUP_FILE,
    LOOKUP_DNS,
    LOOKUP_YP,
    LOOKUP_NIS,
    LOOKUP_NISPLUS,
    LOOKUP_METHOD_COUNT,
};

enum { LOOKUPS_MAX = 32, SERVERS_MAX = 32 };

/* In the order in which they are tried; one may be there more than once. */
struct lookup_list {
    uint8_t methods[LOOKUPS_MAX];
    size_t count;
};

struct server_list {
    weir_address servers[SERVERS_MAX]; /* with their ports */
    size_t count;
};

/* What is a number, a boolean or an atom of two, a row each in inet_parameter.c. */
enum inet_number {
    INET_TIMEOUT_MS,
    INET_RETRY,
    INET_SERVFAIL_RETRY_TIMEOUT_MS,
    INET_INET6,
    INET_USEVC,
    INET_EDNS, /* EDNS_OFF or its version */
    INET_UDP_PAYLOAD_SIZE,
    INET_CACHE_SIZE,
    INET_CACHE_REFRESH_MS,
    INET_NUMBER_COUNT,
};

enum { EDNS_OFF = -1 };

/* What is a text. */
enum inet_text {
    INET_DOMAIN,
    INET_RESOLV_CONF, /* paths of files that are read again when they change; "": none */
    INET_HOSTS_FILE,
    INET_UDP, /* modules, which Erlang has and weir has not */
    INET_SCTP,
    INET_TCP,
    INET_TEXT_COUNT,
};

struct inet_config {
    atomic_uint user_count;
    char host_name[NAME_TEXT_SIZE]; /* of this machine, up to its first dot */
    char host_domain[NAME_TEXT_SIZE];
    int64_t numbers[INET_NUMBER_COUNT];
    char *texts[INET_TEXT_COUNT];
    struct text_list search;
    struct server_list nameservers;
    struct server_list alt_nameservers;
    struct host_table hosts;
    struct lookup_list lookup;
    bool resolv_conf_given; /* else it is read only when there is no name server */
};

/* The defaults on this machine. 0 or -ENOMEM. */
int inet_config_create(struct inet_config **config);
/* One more user, who gives it back. */
struct inet_config *inet_config_keep(struct inet_config *config);
/* Frees it when no other user is left. NULL is fine. */
void inet_config_free(struct inet_config *config);

/*
 * Applies a file of terms: its {file,_,_} terms first, then the others. What is wrong with it is
 * not fatal, as in the document: a file that cannot be read or parsed counts as empty, a bad term
 * ends it, of a system file what can be read counts. 0; an errno of open(2) or read(2), or -EINVAL,
 * with what is wrong first and where in the error text; -ENOMEM, which leaves what is not to be
 * used.
 */
int inet_config_load(struct inet_config *config, const char *path);

/* The same for a text; `path` is its name in errors. */
int inet_config_load_text(struct inet_config *config, const char *path, const char *text);

/* -ENOMEM leaves what was there. The values are not checked. */
int inet_config_set_text(struct inet_config *config, enum inet_text which, const char *text);

/* Everything but hosts and files as the document's `reset` leaves it. */
int inet_config_reset(struct inet_config *config);

/* At the end, from wherever it was. -ENOSPC when there are SERVERS_MAX. */
int server_list_add(struct server_list *list, const weir_address *server);

/* Adds a method by a name that a file may use for it; other names are left out. -ENOSPC. */
int lookup_list_add(struct lookup_list *list, const char *name);
const char *lookup_method_name(enum lookup_method method);

/* What a resolv.conf says replaces search domains and name servers. `text` is cut up. 0, -ENOMEM.
 */
int resolv_conf_apply(char *text, struct text_list *search, struct server_list *nameservers);

/* The hosts of a hosts file, lines of one address merged. `text` is cut up. 0, -ENOMEM. */
int hosts_file_read(char *text, struct host_table *hosts);

#endif
