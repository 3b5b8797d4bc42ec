/* SPDX-License-Identifier: MIT */
/* Answers that are remembered, for as long as their server has said. */
#include "asked.h"

#include <unistd.h>

#include "base/memory.h"

Test(remembered, what_was_found)
{
    struct asked asked = asked_start(2, "");
    for (int i = 0; i < 3; i++)
        cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(asked.server, "known.test"), 1u);
    name_of(&asked, "second.test.", WEIR_INET);
    name_of(&asked, "second.test.", WEIR_INET);
    cr_expect_eq(dns_server_count(asked.server, "second.test"), 1u);
    for (int i = 0; i < 2; i++)
        name_of(&asked, "nx.test.", WEIR_INET);
    cr_expect_eq(dns_server_count(asked.server, "nx.test"), 2u);
    usleep(1100000); /* its time is a second */
    name_of(&asked, "second.test.", WEIR_INET);
    cr_expect_eq(dns_server_count(asked.server, "second.test"), 2u);
    asked_stop(&asked);
}

/* Now and again, for as long as anything is remembered: their time is a second, another's is not.
 */
Test(remembered, what_is_not_good_any_more_is_forgotten)
{
    struct asked asked = asked_start(1, "{cache_refresh,1000}.");
    name_of(&asked, "known.test.", WEIR_INET);
    for (int i = 0; i < 2; i++) {
        int64_t blocks = memory_live_count();
        name_of(&asked, i == 0 ? "second.test." : "second2.test.", WEIR_INET);
        EVENTUALLY(memory_live_count() <= blocks);
    }
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(asked.server, "known.test"), 1u);
    asked_stop(&asked);
}

static void found_by_address(const weir_hostent *hostent, int result, void *data)
{
    struct answer *answer = data;
    cr_expect(result < 0 || strcmp(hostent->h_name, "named") == 0);
    answer_opened((weir_socket){0}, result, answer);
}

/* The port is no part of what is asked. */
Test(remembered, an_address_with_a_port)
{
    const weir_config config = {.schedulers = 1,
                                .inet_terms = "{lookup,[file]}. {host,{10,1,2,3},[\"named\"]}."};
    struct loopback loopback = loopback_start(&config);
    const weir_address address = {.family = WEIR_INET, .bytes = {10, 1, 2, 3}, .port = 80};
    struct answer answer = {0};
    weir_hostent *hostent;
    GIVES(weir_gethostbyaddr(loopback.runtime, &address, WAIT_MS, &hostent), 0);
    cr_expect_str_eq(hostent->h_name, "named");
    cr_expect_eq(hostent->h_addr_list[0].port, 0);
    weir_hostent_free(hostent);
    GIVES(weir_gethostbyaddr_async(loopback.runtime, &address, WAIT_MS, found_by_address, &answer),
          0);
    GIVES(answer_wait(&answer), 0);
    loopback_close(&loopback);
}
