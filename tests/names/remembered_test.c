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
    cr_expect(result < 0 || strcmp(hostent->h_name, "pointed.test") == 0);
    answer_opened((weir_socket){0}, result, answer);
}

enum { QUESTIONS = 4 };

struct asking {
    struct asked *asked;
    struct answer answers[QUESTIONS];
};

/* All in one turn. */
static void ask_with_ports(void *data)
{
    struct asking *asking = data;
    weir_runtime *runtime = asking->asked->runtime;
    weir_address address = {.family = WEIR_INET, .bytes = {192, 0, 2, 9}};
    weir_hostent *hostent;
    for (int i = 0; i < QUESTIONS; i++) {
        address.port = (uint16_t)(i + 1);
        GIVES(weir_gethostbyaddr_async(runtime, &address, WAIT_MS, found_by_address,
                                       &asking->answers[i]),
              0);
    }
    address.port = QUESTIONS + 1;
    GIVES(weir_gethostbyaddr(runtime, &address, WAIT_MS, &hostent), 0);
    cr_expect_str_eq(hostent->h_name, "pointed.test");
    weir_hostent_free(hostent);
}

/* The port is no part of what is asked: they wait for one answer. */
Test(remembered, what_is_found_by_an_address_with_a_port)
{
    struct asked asked = asked_start(1, "");
    struct asking asking = {.asked = &asked};
    run_in_process(asked.runtime, 0, ask_with_ports, &asking);
    for (int i = 0; i < QUESTIONS; i++)
        GIVES(answer_wait(&asking.answers[i]), 0);
    cr_expect_eq(dns_server_count(asked.server, "9.2.0.192.in-addr.arpa"), 1u);
    asked_stop(&asked);
}
