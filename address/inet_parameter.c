/* SPDX-License-Identifier: MIT */
#include "address/inet_parameter.h"

#include <stdio.h>
#include <stdlib.h>

const struct inet_number_row inet_number_rows[INET_NUMBER_COUNT] = {
    [INET_TIMEOUT_MS] = {"timeout", INET_INTEGER, 1, 2000},
    [INET_RETRY] = {"retry", INET_INTEGER, 1, 3},
    [INET_SERVFAIL_RETRY_TIMEOUT_MS] = {"servfail_retry_timeout", INET_INTEGER, 0, 1500},
    [INET_INET6] = {"inet6", INET_BOOLEAN, 0, false},
    [INET_USEVC] = {"usevc", INET_BOOLEAN, 0, false},
    [INET_EDNS] = {"edns", INET_VERSION, 0, EDNS_OFF},
    [INET_UDP_PAYLOAD_SIZE] = {"udp_payload_size", INET_INTEGER, 512, 1280},
    [INET_CACHE_SIZE] = {"cache_size", INET_INTEGER, 0, 100},
    [INET_CACHE_REFRESH_MS] = {"cache_refresh", INET_INTEGER, 1, 3600000},
};

const struct inet_text_row inet_text_rows[INET_TEXT_COUNT] = {
    [INET_DOMAIN] = {"domain", INET_NAME, ""},
    [INET_RESOLV_CONF] = {"resolv_conf", INET_PATH, "resolv.conf"},
    [INET_HOSTS_FILE] = {"hosts_file", INET_PATH, "hosts"},
    [INET_UDP] = {"udp", INET_MODULE, "inet_udp"},
    [INET_SCTP] = {"sctp", INET_MODULE, "inet_sctp"},
    [INET_TCP] = {"tcp", INET_MODULE, "inet_tcp"},
};

const char *inet_text_initial(enum inet_text which, char *path, size_t size)
{
    const struct inet_text_row *row = &inet_text_rows[which];
    const char *etc = getenv("ERL_INET_ETC_DIR");
    if (row->type != INET_PATH)
        return row->initial;
    snprintf(path, size, "%s/%s", etc && *etc ? etc : "/etc", row->initial);
    return path;
}
