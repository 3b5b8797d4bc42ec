/* SPDX-License-Identifier: MIT */
/* Another inet configuration for a runtime that runs. */
#include "asked.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* Terms with the first server of the tests, or the other. */
static const char *terms_of(struct asked *asked, bool other, const char *more)
{
    static _Thread_local char terms[512];
    snprintf(terms, sizeof(terms),
             "{lookup,[dns]}. {resolv_conf,\"\"}. {hosts_file,\"\"}. clear_search. {domain,\"\"}.\n"
             "{nameserver,{127,0,0,1},%u}. %s",
             dns_server_port(other ? asked->other : asked->server), more);
    return terms;
}

static int load(struct asked *asked, bool other, const char *more)
{
    return weir_load_rc(asked->runtime, "", terms_of(asked, other, more));
}

/* What get_rc tells, as one text. */
static const char *rc_of(struct asked *asked)
{
    static char text[4096];
    weir_parameter *parameters;
    size_t count;
    size_t length = 0;
    cr_assert_eq(weir_get_rc(asked->runtime, &parameters, &count), 0);
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "{%s,%s}.",
                                   parameters[i].name, parameters[i].value);
    weir_parameters_free(parameters);
    return text;
}

Test(reload, other_servers_and_nothing_remembered)
{
    for (uint32_t schedulers = 1; schedulers <= 3; schedulers += 2) {
        struct asked asked = asked_start(schedulers, "");
        for (int i = 0; i < 2; i++)
            cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
        cr_expect_eq(load(&asked, true, "{timeout,1234}."), 0, "%s", weir_last_error_text());
        cr_expect_not_null(strstr(rc_of(&asked), "{timeout,1234}."));
        for (int i = 0; i < 2; i++)
            cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
        cr_expect_eq(dns_server_count(asked.server, "known.test"), 1u);
        cr_expect_eq(dns_server_count(asked.other, "known.test"), 1u);
        cr_expect_eq(load(&asked, false, ""), 0);
        cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
        cr_expect_eq(dns_server_count(asked.server, "known.test"), 2u, "from what was remembered");
        asked_stop(&asked);
    }
}

Test(reload, the_family_that_is_asked_for)
{
    struct asked asked = asked_start(1, "");
    weir_hostent *hostent;
    cr_assert_eq(load(&asked, false, "{inet6,true}."), 0);
    cr_assert_eq(weir_gethostbyname(asked.runtime, "known.test.", WAIT_MS, &hostent), 0);
    cr_expect_eq(hostent->h_addrtype, WEIR_INET6);
    weir_hostent_free(hostent);
    asked_stop(&asked);
}

static const struct {
    const char *terms;
    const char *text;
} wrong[] = {
    {"{timeout,1}.\n{timeout,0}.",
     "syntax error in inet_terms: line 2, column 10: an integer of at least 1 is expected"},
    {"{timeout,1}. {lookup", "parse error in inet_terms: line 1, column 21: "},
    {"{nosuch,1}.", "syntax error in inet_terms: line 1, column 1: "},
    {"{nameserver,{1,2,3}}.", "syntax error in inet_terms: line 1, column 13: "},
    {"{resolv_conf,\"relative\"}.", "syntax error in inet_terms: line 1, column 14: "},
    {"{file,nosuch,\"/etc/hosts\"}.", "syntax error in inet_terms: line 1, column 7: "},
    {"{file,hosts,\"/nosuch/hosts\"}.", "file /nosuch/hosts: not found"},
};

Test(reload, what_is_wrong_changes_nothing)
{
    struct asked asked = asked_start(2, "{timeout,4321}.");
    char before[4096];
    snprintf(before, sizeof(before), "%s", rc_of(&asked));
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_lt(weir_load_rc(asked.runtime, "", wrong[i].terms), 0, "%s", wrong[i].terms);
        cr_expect_eq(strncmp(weir_last_error_text(), wrong[i].text, strlen(wrong[i].text)), 0,
                     "%s: %s", wrong[i].terms, weir_last_error_text());
        cr_expect_str_eq(rc_of(&asked), before);
    }
    cr_expect_eq(weir_load_rc(asked.runtime, "/nosuch/inetrc", NULL), -ENOENT);
    cr_expect_str_eq(weir_last_error_text(), "file /nosuch/inetrc: not found");
    cr_expect_str_eq(rc_of(&asked), before);
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    cr_expect_eq(dns_server_count(asked.server, "known.test"), 1u, "what is remembered stays");
    asked_stop(&asked);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(reload, a_file)
{
    char path[] = "/tmp/weir_rc_XXXXXX";
    close(mkstemp(path));
    struct asked asked = asked_start(2, "");
    write_file(path, "{lookup,[file]}. {hosts_file,\"\"}. {host,{10,0,0,7},[\"seven\"]}.");
    cr_expect_eq(weir_load_rc(asked.runtime, path, NULL), 0, "%s", weir_last_error_text());
    cr_expect_str_eq(name_of(&asked, "seven", WEIR_INET), "seven | 10.0.0.7");
    write_file(path, "{lookup,[file]}. {hosts_file,\"\"}.\n {host,{10,0,0,8},[]}.");
    cr_expect_eq(weir_load_rc(asked.runtime, path, NULL), -EINVAL);
    cr_expect_not_null(strstr(weir_last_error_text(), "line 2, column 19"), "%s",
                       weir_last_error_text());
    cr_expect_str_eq(name_of(&asked, "seven", WEIR_INET), "seven | 10.0.0.7");
    unlink(path);
    asked_stop(&asked);
}

/* What may not be read is said to be so, and changes nothing. */
Test(reload, a_file_that_may_not_be_read)
{
    char path[] = "/tmp/weir_rc_XXXXXX";
    close(mkstemp(path));
    struct asked asked = asked_start(1, "");
    write_file(path, "{lookup,[file]}.");
    cr_assert_eq(chmod(path, 0), 0);
    cr_assert(geteuid() != 0 || seteuid(NOBODY) == 0);
    cr_expect_eq(weir_load_rc(asked.runtime, path, NULL), -EACCES);
    cr_expect_not_null(strstr(weir_last_error_text(), path), "%s", weir_last_error_text());
    cr_assert(getuid() != 0 || seteuid(0) == 0);
    cr_expect_str_eq(name_of(&asked, "known.test.", WEIR_INET), "known.test | 192.0.2.1");
    unlink(path);
    asked_stop(&asked);
}

struct found {
    atomic_int count;
    atomic_int failures;
};

static void found(const weir_hostent *hostent, int result, void *data)
{
    struct found *found = data;
    (void)hostent;
    atomic_fetch_add(&found->failures, result < 0);
    atomic_fetch_add(&found->count, 1);
}

static void wait_for(struct found *found, int count)
{
    while (atomic_load(&found->count) < count)
        usleep(1000);
}

/* The server that is asked says nothing; the other one does, at once. */
Test(reload, questions_that_are_under_way_begin_again)
{
    struct asked asked = asked_start(2, "{timeout,60000}.");
    struct found all = {0};
    dns_server_set_silent(asked.server, true);
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof(name), "known%d.test.", i % 10);
        cr_assert_eq(weir_gethostbyname_async(asked.runtime, name, WEIR_INET, WAIT_MS, found, &all),
                     0);
    }
    while (dns_server_count(asked.server, "known9.test") == 0)
        usleep(1000);
    cr_expect_eq(load(&asked, true, ""), 0);
    wait_for(&all, 20);
    cr_expect_eq(all.failures, 0);
    cr_expect_eq(dns_server_count(asked.other, "known9.test"), 1u);
    asked_stop(&asked);
}

Test(reload, a_callers_time_goes_on)
{
    struct asked asked = asked_start(1, "{timeout,60000}.");
    struct found all = {0};
    dns_server_set_silent(asked.server, true);
    cr_assert_eq(
        weir_gethostbyname_async(asked.runtime, "known.test.", WEIR_INET, 300, found, &all), 0);
    while (all.count == 0) {
        cr_assert_eq(load(&asked, false, "{timeout,60000}."), 0);
        usleep(1000);
    }
    cr_expect_eq(all.failures, 1);
    asked_stop(&asked);
}

/* The C library's thread answers what has begun again, or nobody. */
Test(reload, while_the_c_library_looks)
{
    struct asked asked = asked_start(1, "{lookup,[native]}.");
    struct found all = {0};
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(
            weir_gethostbyname_async(asked.runtime, "localhost", WEIR_INET, WAIT_MS, found, &all),
            0);
        cr_assert_eq(load(&asked, false, "{lookup,[native]}."), 0);
    }
    wait_for(&all, 50);
    cr_expect_eq(all.failures, 0);
    asked_stop(&asked);
}

enum { ASKERS = 3, LOADS = 60 };

struct asker {
    struct asked *asked;
    atomic_bool *over;
    unsigned number;
    unsigned failures;
};

static void *ask_again_and_again(void *data)
{
    struct asker *asker = data;
    for (unsigned i = 0; !atomic_load(asker->over); i++) {
        weir_hostent *hostent;
        char name[48];
        snprintf(name, sizeof(name), "known%u.test.", asker->number * 1000000 + i % 50);
        int result = weir_gethostbyname(asker->asked->runtime, name, WAIT_MS, &hostent);
        asker->failures += result != 0;
        weir_hostent_free(hostent);
    }
    return NULL;
}

static void *load_again_and_again(void *data)
{
    struct asker *asker = data;
    for (int i = 0; i < LOADS; i++)
        asker->failures += load(asker->asked, i % 2, i % 3 ? "" : "{cache_size,2}.") != 0;
    return NULL;
}

/* Each look-up is answered by one or the other of the servers, whoever loads what. */
Test(reload, while_threads_ask)
{
    struct asked asked = asked_start(2, "");
    atomic_bool over = false;
    pthread_t askers[ASKERS];
    pthread_t loaders[2];
    struct asker all[ASKERS + 2];
    for (unsigned i = 0; i < ASKERS + 2; i++)
        all[i] = (struct asker){&asked, &over, i, 0};
    for (unsigned i = 0; i < ASKERS; i++)
        cr_assert_eq(pthread_create(&askers[i], NULL, ask_again_and_again, &all[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&loaders[i], NULL, load_again_and_again, &all[ASKERS + i]), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(loaders[i], NULL);
    atomic_store(&over, true);
    for (unsigned i = 0; i < ASKERS; i++)
        pthread_join(askers[i], NULL);
    for (unsigned i = 0; i < ASKERS + 2; i++)
        cr_expect_eq(all[i].failures, 0u, "thread %u", i);
    asked_stop(&asked);
}

struct on_scheduler {
    weir_runtime *runtime;
    atomic_int result;
};

static void load_on_scheduler(void *data)
{
    struct on_scheduler *here = data;
    atomic_store(&here->result, weir_load_rc(here->runtime, "", ""));
}

Test(reload, not_on_a_scheduler_nor_after_a_stop)
{
    struct asked asked = asked_start(1, "");
    struct on_scheduler here = {asked.runtime, 1};
    cr_assert_eq(weir_run_on(asked.runtime, 0, load_on_scheduler, &here), 0);
    while (atomic_load(&here.result) == 1)
        usleep(1000);
    cr_expect_eq(here.result, -EDEADLK);
    asked_stop(&asked);
    cr_expect_eq(weir_load_rc(here.runtime, "", ""), WEIR_CLOSED);
}
