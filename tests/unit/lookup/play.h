/* SPDX-License-Identifier: MIT */
/* A look-up, name servers that are functions, and a clock that is a number: what is asked when. */
#ifndef PLAY_H
#define PLAY_H

#include "lookup/lookup.h"
#include "support/dns_message.h"

/* What a server does with a question: fills in an answer, or says how it goes instead. */
enum reaction {
    ANSWERS,
    STAYS_SILENT,
    IS_UNREACHABLE,
    FINDS_NO_MEMORY,
    CONFIGURES,
    ANSWERS_TOO_LATE, /* it is configured before anybody looks at the answer */
};
typedef enum reaction play_server(const struct query_ask *ask, const char *question, ns_type type,
                                  struct dns_message *answer);

/* Takes a configuration as text, from which everything else begins anew. */
void play_configure(const char *text);
/* What CONFIGURES has the look-up begin again with. */
void play_configure_then(const char *text);
void play_hosts_file(const char *text);
void play_no_hosts_file(void); /* there is none that can be read */
void play_system_knows(void);  /* "system | 10.2.2.2", whatever it is asked for */
void play_end(void);

/* "name alias... | address...", or an error's name. */
const char *play_name(const char *name, enum weir_family family, play_server *server);
const char *play_address(const char *address, play_server *server);

/* What the last look-up asked: "0 10.0.0.1 a.example.com, 33 ...", times in ms from its beginning.
 * A server asked by TCP or with EDNS is marked so; "system" is the C library, which knows nothing.
 */
const char *play_asked(void);

void play_sleep(uint64_t ms);

#endif
