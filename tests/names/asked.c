/* SPDX-License-Identifier: MIT */
#include "asked.h"

#include <stdio.h>
#include <string.h>

struct asked asked_start(uint32_t schedulers, const char *terms)
{
    static const char begin[] =
        "{lookup,[dns]}. {resolv_conf,\"\"}. {hosts_file,\"\"}. clear_search. "
        "{domain,\"\"}. ";
    struct asked asked = {.server = dns_server_start(), .other = dns_server_start()};
    char rest[1024];
    char all[2048];
    unsigned port = dns_server_port(asked.server);
    snprintf(rest, sizeof(rest), terms, port, dns_server_port(asked.other));
    snprintf(all, sizeof(all), "%s{nameserver,{127,0,0,1},%u}. %s", begin, port, rest);
    asked.loopback = loopback_start(&(weir_config){.schedulers = schedulers, .inet_terms = all});
    asked.runtime = asked.loopback.runtime;
    return asked;
}

void asked_stop(struct asked *asked)
{
    dns_server_settle(asked->server);
    dns_server_settle(asked->other);
    loopback_close(&asked->loopback);
    dns_server_stop(asked->server);
    dns_server_stop(asked->other);
}

const char *hostent_text(const weir_hostent *hostent, int result, char *text, size_t size)
{
    char address[WEIR_ADDRESS_TEXT_SIZE];
    if (result < 0)
        return weir_error_name(result);
    size_t length = (size_t)snprintf(text, size, "%s", hostent->h_name);
    for (size_t i = 0; i < hostent->alias_count; i++)
        length += (size_t)snprintf(text + length, size - length, " %s", hostent->h_aliases[i]);
    length += (size_t)snprintf(text + length, size - length, " |");
    for (size_t i = 0; i < hostent->address_count && length + 64 < size; i++)
        length += (size_t)snprintf(text + length, size - length, " %s",
                                   weir_address_format(&hostent->h_addr_list[i], address));
    return text;
}

const char *name_of(struct asked *asked, const char *name, enum weir_family family)
{
    static char text[4096];
    weir_hostent *hostent;
    int result = weir_gethostbyname2(asked->runtime, name, family, WAIT_MS, &hostent);
    const char *answer = hostent_text(hostent, result, text, sizeof(text));
    weir_hostent_free(hostent);
    return answer;
}

const char *address_of(struct asked *asked, const char *address_text)
{
    static char text[4096];
    weir_address address;
    weir_hostent *hostent;
    cr_assert_eq(weir_address_parse(address_text, &address), 0);
    int result = weir_gethostbyaddr(asked->runtime, &address, WAIT_MS, &hostent);
    const char *answer = hostent_text(hostent, result, text, sizeof(text));
    weir_hostent_free(hostent);
    return answer;
}
