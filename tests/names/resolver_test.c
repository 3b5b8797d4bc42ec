/* SPDX-License-Identifier: MIT */
/* Look-ups through a name server that answers, lies and keeps silent as its names say. */
#include "asked.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pair {
    const char *name;
    const char *answer;
};

static const struct pair answers[] = {
    {"known.test", "known.test | 192.0.2.1"},
    {"Known2.TEST", "Known2.TEST | 192.0.2.1"},
    {"known3.test.", "known3.test | 192.0.2.1"},
    {"several.test", "several.test | 192.0.2.1 192.0.2.2 127.0.0.1"},
    {"chain.test", "third.test second.test chain.test | 192.0.2.1"},
    {"loop.test", "nxdomain"},
    {"nothing.test", "nxdomain"},
    {"nx.test", "nxdomain"},
    {"servfail.test", "nxdomain"},
    {"refused.test", "nxdomain"},
    {"formerr.test", "nxdomain"},
    {"notimp.test", "nxdomain"},
    {"silent.test", "nxdomain"},
    {"another2.test", "nxdomain"},
    {"nonsense.test", "einval"},
    {"wrongid.test", "wrongid.test | 192.0.2.1"},
    {"wrongport.test", "wrongport.test | 192.0.2.1"},
    {"wrongname.test", "wrongname.test | 192.0.2.1"},
    {"rubbish.test", "rubbish.test | 192.0.2.1"},
    {"truncated.test", "truncated.test | 192.0.2.1"},
    {"nowhere.test", "nxdomain"},
    {"late.test", "late.test | 192.0.2.1"},
};

Test(resolver, every_answer_and_every_lie)
{
    struct asked asked = asked_start(1, "{timeout,150}. {servfail_retry_timeout,20}.");
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        cr_expect_str_eq(name_of(&asked, answers[i].name, WEIR_INET), answers[i].answer, "%s: %s",
                         answers[i].name, name_of(&asked, answers[i].name, WEIR_INET));
    cr_expect_str_eq(name_of(&asked, "known.test", WEIR_INET6), "known.test | 2001:db8::1");
    cr_expect_str_eq(address_of(&asked, "192.0.2.9"), "pointed.test | 192.0.2.9");
    asked_stop(&asked);
}

Test(resolver, an_answer_of_64_kib)
{
    struct asked asked = asked_start(1, "");
    weir_address addresses[2];
    int count = weir_getaddrs(asked.runtime, "huge.test", WEIR_INET, WAIT_MS, addresses, 2);
    cr_expect_gt(count, 2000);
    cr_expect_eq(addresses[1].bytes[0], 192);
    cr_expect_eq(dns_server_count(asked.server, "huge.test"), 1u);
    cr_expect_eq(dns_server_count_tcp(asked.server, "huge.test"), 1u);
    asked_stop(&asked);
}

/* At least; a busy machine is later. */
static void expect_times(struct asked *asked, const char *name, const uint64_t *least_ms,
                         size_t count)
{
    uint64_t times_ms[16];
    cr_expect_eq(dns_server_times(asked->server, name, times_ms, 16), count, "%s was asked for %zu",
                 name, dns_server_count(asked->server, name));
    for (size_t i = 0; i < count; i++)
        cr_expect_geq(times_ms[i] + 2, least_ms[i], "%s, question %zu after %lu ms", name, i,
                      (unsigned long)times_ms[i]);
}

Test(resolver, rounds_and_retries)
{
    struct asked asked = asked_start(1, "{timeout,100}. {servfail_retry_timeout,50}.");
    name_of(&asked, "silent.test.", WEIR_INET);
    expect_times(&asked, "silent.test", (const uint64_t[]){0, 33, 99}, 3);
    asked_stop(&asked);

    asked = asked_start(1, "{timeout,60000}. {servfail_retry_timeout,50}."); /* answers in time */
    name_of(&asked, "servfail.test.", WEIR_INET);
    expect_times(&asked, "servfail.test", (const uint64_t[]){0, 50, 100}, 3);
    name_of(&asked, "refused.test.", WEIR_INET);
    cr_expect_eq(dns_server_count(asked.server, "refused.test"), 1u);
    name_of(&asked, "nx.test.", WEIR_INET);
    cr_expect_eq(dns_server_count(asked.server, "nx.test"), 1u);
    asked_stop(&asked);
}

/* The first is answered when the second has been asked, and that one when there is a third. */
Test(resolver, an_answer_that_comes_a_round_late_counts)
{
    struct asked asked = asked_start(1, "{timeout,600}. {retry,3}."); /* 200, 400, 800 ms */
    cr_expect_str_eq(name_of(&asked, "before.test.", WEIR_INET), "before.test | 192.0.2.1");
    cr_expect_geq(dns_server_count(asked.server, "before.test"), 2u);
    asked_stop(&asked);
}

Test(resolver, the_search_list)
{
    struct asked asked = asked_start(1, "{search,[\"nx.test\",\"known.test\"]}.");
    cr_expect_str_eq(name_of(&asked, "known", WEIR_INET), "known.nx.test | 192.0.2.1");
    cr_expect_str_eq(name_of(&asked, "nx5", WEIR_INET), "nxdomain");
    cr_expect_eq(dns_server_count(asked.server, "nx5.nx.test"), 1u);
    cr_expect_eq(dns_server_count(asked.server, "nx5.known.test"), 1u);
    cr_expect_eq(dns_server_count(asked.server, "nx5"), 0u);
    cr_expect_str_eq(name_of(&asked, "nx6.dots", WEIR_INET), "nxdomain");
    cr_expect_eq(dns_server_count(asked.server, "nx6.dots"), 1u);
    cr_expect_eq(dns_server_count(asked.server, "nx6.dots.known.test"), 1u);
    asked_stop(&asked);
}

Test(resolver, other_servers)
{
    struct asked asked = asked_start(1, "{alt_nameserver,{127,0,0,1},%2$u}.");
    dns_server_set_silent(asked.other, false);
    cr_expect_str_eq(name_of(&asked, "nx.test.", WEIR_INET), "nxdomain");
    cr_expect_eq(dns_server_count(asked.other, "nx.test"), 1u);
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(asked.other, "known.test"), 0u);
    asked_stop(&asked);

    asked = asked_start(1, "{nameserver,{127,0,0,1},%2$u}. {timeout,300}.");
    dns_server_set_silent(asked.server, true);
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(asked.other, "known.test"), 1u);
    asked_stop(&asked);
}

Test(resolver, edns_and_tcp)
{
    struct asked asked = asked_start(1, "{edns,0}.");
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    cr_expect_str_eq(name_of(&asked, "noedns.test.", WEIR_INET), "noedns.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(asked.server, "noedns.test"), 2u);
    asked_stop(&asked);
    asked = asked_start(1, "{usevc,true}.");
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(asked.server, "known.test"), 0u);
    cr_expect_eq(dns_server_count_tcp(asked.server, "known.test"), 1u);
    asked_stop(&asked);
}

Test(resolver, a_server_that_is_not_there)
{
    int port;
    char terms[128];
    int taken = peer_bind(&port);
    snprintf(terms, sizeof(terms), "clear_ns. {nameserver,{127,0,0,1},%d}.", port);
    struct asked asked = asked_start(1, terms);
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "nxdomain");
    asked_stop(&asked);
    close(taken);
}

struct found {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int count;
    int failures;
    char last[256];
};

static void found(const weir_hostent *hostent, int result, void *data)
{
    struct found *found = data;
    pthread_mutex_lock(&found->lock);
    char text[sizeof(found->last)];
    snprintf(found->last, sizeof(found->last), "%s",
             hostent_text(hostent, result, text, sizeof(text)));
    found->failures += result < 0;
    found->count++;
    pthread_cond_signal(&found->changed);
    pthread_mutex_unlock(&found->lock);
}

static void wait_for(struct found *found, int count)
{
    pthread_mutex_lock(&found->lock);
    while (found->count < count)
        pthread_cond_wait(&found->changed, &found->lock);
    pthread_mutex_unlock(&found->lock);
}

#define FOUND                                                                  \
    {                                                                          \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER \
    }

Test(resolver, the_same_question_is_asked_once)
{
    struct found all = FOUND;
    struct asked asked = asked_start(2, "");
    for (int i = 0; i < 100; i++)
        cr_assert_eq(
            weir_gethostbyname_async(asked.runtime, "late.test.", WEIR_INET, WAIT_MS, found, &all),
            0);
    wait_for(&all, 100);
    cr_expect_eq(all.failures, 0);
    cr_expect_str_eq(all.last, "late.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(asked.server, "late.test"), 1u);
    asked_stop(&asked);
}

/* On a scheduler: the blocking form is refused, the other calls back there. */
struct on_scheduler {
    struct found found;
    weir_runtime *runtime;
    weir_hostent *hostent;
    int blocking;
    int asked;
};

static void ask_on_scheduler(void *data)
{
    struct on_scheduler *here = data;
    here->blocking = weir_gethostbyname(here->runtime, "known.test", WAIT_MS, &here->hostent);
    here->asked = weir_gethostbyname_async(here->runtime, "known.test", WEIR_ANY_FAMILY, WAIT_MS,
                                           found, &here->found);
}

Test(resolver, on_a_scheduler)
{
    struct asked asked = asked_start(3, "");
    for (uint32_t i = 0; i < 3; i++) {
        struct on_scheduler here = {.found = FOUND, .runtime = asked.runtime};
        cr_assert_eq(weir_run_on(asked.runtime, i, ask_on_scheduler, &here), 0);
        wait_for(&here.found, 1);
        cr_expect_eq(here.blocking, -EDEADLK);
        cr_expect_eq(here.asked, 0);
        cr_expect_str_eq(here.found.last, "known.test | 192.0.2.1");
    }
    cr_expect_eq(dns_server_count(asked.server, "known.test"), 1u);
    asked_stop(&asked);
}

struct burst {
    struct asked *asked;
    struct found all;
};

enum { BURST = 200 };

static void ask_for_many(void *data)
{
    struct burst *burst = data;
    for (int i = 0; i < BURST; i++) {
        char name[32];
        snprintf(name, sizeof(name), "127.0.0.%d", i);
        cr_assert_eq(weir_gethostbyname_async(burst->asked->runtime, name, WEIR_INET, -1, found,
                                              &burst->all),
                     0);
    }
}

/* However many are asked for at once, others have their turns between them. */
Test(resolver, a_turn_is_not_filled_with_look_ups)
{
    struct asked asked = asked_start(1, "");
    struct burst burst = {.asked = &asked, .all = FOUND};
    weir_totals before;
    weir_totals after;
    cr_assert_eq(weir_get_totals(asked.runtime, 0, &before), 0);
    cr_assert_eq(weir_run_on(asked.runtime, 0, ask_for_many, &burst), 0);
    wait_for(&burst.all, BURST);
    cr_assert_eq(weir_get_totals(asked.runtime, 0, &after), 0);
    cr_expect_eq(burst.all.failures, 0);
    cr_expect_geq(after.turns - before.turns, 2u * BURST - 1, "%lu turns",
                  (unsigned long)(after.turns - before.turns));
    asked_stop(&asked);
}

Test(resolver, ten_thousand_at_once)
{
    enum { COUNT = 10000 };
    struct found all = FOUND;
    struct asked asked = asked_start(1, "{cache_size,0}.");
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof(name), "known%d.test.", i);
        cr_assert_eq(weir_gethostbyname_async(asked.runtime, name, WEIR_INET, -1, found, &all), 0);
    }
    wait_for(&all, COUNT);
    cr_expect_eq(all.failures, 0);
    asked_stop(&asked);
}

Test(resolver, bad_arguments)
{
    struct asked asked = asked_start(1, "");
    weir_hostent *hostent;
    weir_address address = {.family = 77};
    static char longest[70000];
    memset(longest, 'a', sizeof(longest) - 1);
    cr_expect_str_eq(name_of(&asked, "", WEIR_INET), "nxdomain");
    cr_expect_str_eq(name_of(&asked, "a b", WEIR_INET), "einval");
    cr_expect_str_eq(name_of(&asked, "a..b", WEIR_INET), "nxdomain");
    cr_expect_str_eq(name_of(&asked, longest, WEIR_INET), "nxdomain");
    cr_expect_str_eq(name_of(&asked, "known.test", WEIR_ANY_FAMILY), "einval");
    cr_expect_eq(weir_gethostbyaddr(asked.runtime, &address, WAIT_MS, &hostent), -EINVAL);
    cr_expect_null(hostent);
    cr_expect_eq(weir_getaddr(asked.runtime, "", WEIR_INET, WAIT_MS, &address), -EINVAL);
    cr_expect_eq(weir_getaddr(asked.runtime, "a\tb", WEIR_INET, WAIT_MS, &address), -EINVAL);
    cr_expect_eq(weir_getaddr(asked.runtime, NULL, WEIR_INET, WAIT_MS, &address), -EINVAL);
    cr_expect_eq(weir_getaddr(asked.runtime, "127.1", WEIR_INET, WAIT_MS, &address), 0);
    cr_expect_eq(address.bytes[3], 1);
    cr_expect_eq(weir_getaddr(asked.runtime, "127.1", WEIR_INET6, WAIT_MS, &address),
                 WEIR_NXDOMAIN);
    asked_stop(&asked);
}

Test(resolver, a_time_out_is_the_callers)
{
    struct asked asked = asked_start(1, "{timeout,60000}.");
    weir_hostent *hostent;
    cr_expect_eq(weir_gethostbyname(asked.runtime, "silent.test", 20, &hostent), WEIR_TIMEOUT);
    cr_expect_eq(weir_gethostbyname(asked.runtime, "silent.test", 0, &hostent), WEIR_TIMEOUT);
    asked_stop(&asked); /* and does not wait for the name server */
}

struct waiter {
    struct asked *asked;
    int result;
};

static void *wait_in_vain(void *data)
{
    struct waiter *waiter = data;
    weir_hostent *hostent;
    waiter->result = weir_gethostbyname(waiter->asked->runtime, "silent.test", -1, &hostent);
    return NULL;
}

Test(resolver, a_stop_answers_those_who_wait)
{
    struct found all = FOUND;
    struct asked asked = asked_start(1, "{timeout,60000}.");
    struct waiter waiter = {.asked = &asked};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, wait_in_vain, &waiter), 0);
    cr_assert_eq(
        weir_gethostbyname_async(asked.runtime, "silent2.test", WEIR_INET, -1, found, &all), 0);
    while (dns_server_count(asked.server, "silent.test") == 0 ||
           dns_server_count(asked.server, "silent2.test") == 0)
        usleep(1000);
    asked_stop(&asked);
    pthread_join(thread, NULL);
    cr_expect_eq(waiter.result, WEIR_CLOSED);
    cr_expect_eq(all.count, 1);
    cr_expect_str_eq(all.last, "closed");
}

/* Takes longer than a name server may. */
static void found_late(const weir_hostent *hostent, int result, void *data)
{
    usleep(150000);
    found(hostent, result, data);
}

struct reader {
    struct found *found;
    int peer;
};

static void *read_when_found(void *data)
{
    struct reader *reader = data;
    wait_for(reader->found, 1);
    (void)peer_drain(reader->peer);
    peer_leave(&reader->peer);
    return NULL;
}

/* The time of what was asked is over while the stop waits for a connection's bytes. */
Test(resolver, a_stop_forgets_what_was_asked)
{
    struct found all = FOUND;
    struct asked asked = asked_start(1, "{timeout,100}.");
    struct loopback *loopback = &asked.loopback;
    pthread_t thread;
    loopback->listener = listen_with(asked.runtime, "[{active,false}," SMALL_BUFFERS "]");
    loopback_reopen(loopback);
    fill_queue(loopback);
    struct reader reader = {.found = &all, .peer = loopback->peer};
    loopback->peer = -1;
    cr_assert_eq(pthread_create(&thread, NULL, read_when_found, &reader), 0);
    cr_assert_eq(
        weir_gethostbyname_async(asked.runtime, "silent.test", WEIR_INET, -1, found_late, &all), 0);
    while (dns_server_count(asked.server, "silent.test") == 0)
        usleep(1000);
    asked_stop(&asked);
    pthread_join(thread, NULL);
    cr_expect_eq(all.count, 1);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

/* Returns when a name is found there, or asks for WAIT_MS. */
static const char *eventually(struct asked *asked, const char *name, const char *answer)
{
    const char *now = "";
    for (int i = 0; i < WAIT_MS / 5; i++) {
        now = name_of(asked, name, WEIR_INET);
        if (strcmp(now, answer) == 0)
            break;
        usleep(5000);
    }
    return now;
}

Test(resolver, files_that_change)
{
    char folder[] = "/tmp/weir_names_XXXXXX";
    char path[64];
    char next[64];
    char terms[256];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/hosts", folder);
    snprintf(next, sizeof(next), "%s/next", folder);
    write_file(path, "10.0.0.1 here\n");
    snprintf(terms, sizeof(terms), "{lookup,[file]}. {hosts_file,\"%s\"}.", path);
    struct asked asked = asked_start(1, terms);
    cr_expect_str_eq(name_of(&asked, "here", WEIR_INET), "here | 10.0.0.1");
    write_file(path, "10.0.0.2 here\n");
    cr_expect_str_eq(eventually(&asked, "here", "here | 10.0.0.2"), "here | 10.0.0.2");
    write_file(next, "10.0.0.3 here\n");
    cr_assert_eq(rename(next, path), 0);
    cr_expect_str_eq(eventually(&asked, "here", "here | 10.0.0.3"), "here | 10.0.0.3");
    write_file(path, "10.0.0.4 here\n");
    cr_expect_str_eq(eventually(&asked, "here", "here | 10.0.0.4"), "here | 10.0.0.4");
    unlink(path);
    cr_expect_str_eq(name_of(&asked, "here", WEIR_INET), "here | 10.0.0.4", "kept as it was");
    rmdir(folder);
    asked_stop(&asked);
}

/* The kernel tells nothing of a folder that is not there yet. */
Test(resolver, a_file_that_is_looked_for_by_the_clock)
{
    char folder[] = "/tmp/weir_names_XXXXXX";
    char path[64];
    char terms[256];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/hosts", folder);
    rmdir(folder);
    snprintf(terms, sizeof(terms), "{lookup,[file]}. {hosts_file,\"%s\"}.", path);
    struct asked asked = asked_start(1, terms);
    cr_expect_str_eq(name_of(&asked, "here", WEIR_INET), "nxdomain");
    cr_assert_eq(mkdir(folder, 0700), 0);
    write_file(path, "10.0.0.1 here\n");
    cr_expect_str_eq(eventually(&asked, "here", "here | 10.0.0.1"), "here | 10.0.0.1");
    unlink(path);
    rmdir(folder);
    asked_stop(&asked);
}

/* A link to a file that goes and comes back: nothing happens in the link's own folder. */
Test(resolver, a_file_that_comes_back_elsewhere)
{
    char folder[] = "/tmp/weir_names_XXXXXX";
    char path[64];
    char target[64];
    char terms[256];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/hosts", folder);
    snprintf(target, sizeof(target), "%s.hosts", folder);
    write_file(target, "10.0.0.1 here\n");
    cr_assert_eq(symlink(target, path), 0);
    snprintf(terms, sizeof(terms), "{lookup,[file]}. {hosts_file,\"%s\"}.", path);
    struct asked asked = asked_start(1, terms);
    cr_expect_str_eq(name_of(&asked, "here", WEIR_INET), "here | 10.0.0.1");
    unlink(target);
    cr_expect_str_eq(name_of(&asked, "here", WEIR_INET), "here | 10.0.0.1", "kept as it was");
    write_file(target, "10.0.0.2 here\n");
    cr_expect_str_eq(eventually(&asked, "here", "here | 10.0.0.2"), "here | 10.0.0.2");
    unlink(target);
    unlink(path);
    rmdir(folder);
    asked_stop(&asked);
}

Test(resolver, name_servers_of_a_resolv_conf)
{
    char path[] = "/tmp/weir_resolv_XXXXXX";
    char terms[256];
    close(mkstemp(path));
    write_file(path, "nameserver 192.0.2.99\nsearch a.test b.test\n");
    snprintf(terms, sizeof(terms), "{resolv_conf,\"%s\"}.", path);
    struct asked asked = asked_start(1, terms);
    weir_parameter *parameters;
    size_t count;
    char text[512] = "";
    cr_assert_eq(weir_get_rc(asked.runtime, &parameters, &count), 0);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof(text) - length, "%s ", parameters[i].name);
    }
    cr_expect_str_eq(text, "nameservers search resolv_conf hosts_file lookup ");
    cr_expect_str_eq(parameters[1].value, "[\"a.test\",\"b.test\"]");
    weir_parameters_free(parameters);
    unlink(path);
    asked_stop(&asked);
}

/* Its servers have port 53, which only some may take. Other servers have to be asked anew. */
Test(resolver, a_resolv_conf_that_changes)
{
    char path[] = "/tmp/weir_resolv_XXXXXX";
    char terms[256];
    if (geteuid() != 0)
        cr_skip_test("port 53 is not for everybody");
    close(mkstemp(path));
    write_file(path, "nameserver 127.77.0.1\n");
    struct dns_server *first = dns_server_start_on("127.77.0.1", 53);
    struct dns_server *second = dns_server_start_on("127.77.0.2", 53);
    snprintf(terms, sizeof(terms), "clear_ns. {resolv_conf,\"%s\"}.", path);
    struct asked asked = asked_start(1, terms);
    for (int i = 0; i < 2; i++)
        cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(first, "known.test"), 1u);
    write_file(path, "nameserver 127.77.0.2\n");
    for (int i = 0; i < WAIT_MS / 5 && dns_server_count(second, "known.test") == 0; i++) {
        name_of(&asked, "known.test.", WEIR_INET);
        usleep(5000);
    }
    cr_expect_eq(dns_server_count(second, "known.test"), 1u, "what is remembered goes with it");
    unlink(path);
    asked_stop(&asked);
    dns_server_stop(first);
    dns_server_stop(second);
}

Test(resolver, a_configuration_of_the_environments)
{
    char path[] = "/tmp/weir_rc_XXXXXX";
    weir_runtime *runtime;
    weir_hostent *hostent;
    close(mkstemp(path));
    write_file(path, "{lookup,[file]}. {host,{10,0,0,7},[\"seven\"]}.");
    setenv("WEIR_INETRC", path, 1);
    cr_assert_eq(weir_start(&runtime, &(weir_config){.schedulers = 1}), 0);
    cr_assert_eq(weir_gethostbyname(runtime, "seven", WAIT_MS, &hostent), 0);
    cr_expect_eq(hostent->h_addr_list[0].bytes[3], 7);
    weir_hostent_free(hostent);
    cr_expect_eq(weir_load_rc(runtime, "", "{lookup,[file]}."), 0, "\"\" is as NULL");
    cr_expect_eq(weir_gethostbyname(runtime, "seven", WAIT_MS, &hostent), 0);
    weir_hostent_free(hostent);
    unsetenv("WEIR_INETRC");
    cr_expect_eq(weir_load_rc(runtime, "", "{lookup,[file]}."), 0);
    cr_expect_eq(weir_gethostbyname(runtime, "seven", WAIT_MS, &hostent), WEIR_NXDOMAIN);
    weir_stop(runtime);
    unlink(path);
}

Test(resolver, a_bad_configuration)
{
    weir_runtime *runtime;
    const weir_config bad = {.schedulers = 1, .inet_terms = "{timeout,0}."};
    cr_expect_eq(weir_start(&runtime, &bad), -EINVAL);
    cr_expect_str_eq(weir_last_error_text(),
                     "syntax error in inet_terms: line 1, column 10: an integer of at least 1 is "
                     "expected");
    const weir_config missing = {.schedulers = 1, .inetrc = "/nosuch/inetrc"};
    cr_assert_eq(weir_start(&runtime, &missing), 0);
    cr_expect_str_eq(weir_last_error_text(), "file /nosuch/inetrc: not found");
    weir_stop(runtime);
}

Test(resolver, the_c_library)
{
    struct asked asked = asked_start(1, "{lookup,[native]}.");
    cr_expect_str_eq(name_of(&asked, "localhost", WEIR_INET), "localhost | 127.0.0.1");
    cr_expect_str_eq(name_of(&asked, "no-such-host.invalid", WEIR_INET), "nxdomain");
    asked_stop(&asked);
}
