/* SPDX-License-Identifier: MIT */
#include "play.h"

#include "address/hostent.h"
#include "address/name.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <weir/error.h>

enum { NS_PER_MS = 1000000, STEPS_MAX = 1000 };

static struct inet_config *config;
static struct host_table hosts_file;
static bool no_hosts_file;
static bool system_knows;
static struct cache cache;
static const char *then;
static uint64_t now_ns;
static char asked[4096];
static size_t asked_length;

static void configure(const char *text)
{
    inet_config_free(config);
    cr_assert_eq(inet_config_create(&config), 0);
    text_list_clear(&config->search);
    cr_assert_eq(inet_config_set_text(config, INET_DOMAIN, ""), 0);
    snprintf(config->host_name, sizeof(config->host_name), "me");
    cr_assert_eq(inet_config_load_text(config, "rc", text), 0, "%s", weir_last_error_text());
}

void play_configure(const char *text)
{
    play_end();
    configure(text);
    cr_assert_eq(cache_open(&cache, (size_t)config->numbers[INET_CACHE_SIZE]), 0);
}

void play_configure_then(const char *text)
{
    then = text;
}

void play_hosts_file(const char *text)
{
    char copy[1024];
    snprintf(copy, sizeof(copy), "%s", text);
    cr_assert_eq(hosts_file_read(copy, &hosts_file), 0);
}

void play_no_hosts_file(void)
{
    no_hosts_file = true;
}

void play_system_knows(void)
{
    system_knows = true;
}

void play_end(void)
{
    no_hosts_file = false;
    system_knows = false;
    cache_close(&cache);
    host_table_clear(&hosts_file);
    inet_config_free(config);
    config = NULL;
    now_ns = 0;
    cr_expect_eq(memory_live_count(), 0);
}

void play_sleep(uint64_t ms)
{
    now_ns += ms * NS_PER_MS;
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    asked_length +=
        (size_t)vsnprintf(asked + asked_length, sizeof(asked) - asked_length, format, arguments);
    va_end(arguments);
}

static void note_ask(uint64_t began_ns, const struct query_ask *ask, const char *question)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    note("%s%lu %s%s%s %s", asked_length ? ", " : "",
         (unsigned long)((now_ns - began_ns) / NS_PER_MS), weir_address_format(&ask->server, text),
         ask->tcp ? " tcp" : "", ask->edns ? " edns" : "", question);
}

static void ask_server(struct lookup *lookup, const struct lookup_ground *ground,
                       const struct query_ask *ask, play_server *server)
{
    static struct dns_message answer;
    answer.size = 0;
    switch (server(ask, lookup_question(lookup), lookup->type, &answer)) {
    case ANSWERS:
        lookup_answered(lookup, ground, now_ns, answer.bytes, answer.size, ask->tcp);
        break;
    case STAYS_SILENT:
        now_ns += ask->timeout_ms * NS_PER_MS;
        lookup_failed(lookup, ground, now_ns, OUTCOME_TIMEOUT);
        break;
    case IS_UNREACHABLE:
        lookup_failed(lookup, ground, now_ns, OUTCOME_UNREACHABLE);
        break;
    case FINDS_NO_MEMORY:
        lookup_failed(lookup, ground, now_ns, OUTCOME_NO_MEMORY);
        break;
    case ANSWERS_TOO_LATE:
        lookup_answered(lookup, ground, now_ns, answer.bytes, answer.size, ask->tcp);
        __attribute__((fallthrough));
    case CONFIGURES:
        configure(then);
        lookup_begin_again(lookup, config);
        break;
    }
}

static weir_hostent *of_system(void)
{
    const weir_address address = {.family = WEIR_INET, .bytes = {10, 2, 2, 2}};
    weir_hostent *hostent = hostent_create("system", NULL, 0, &address, 1);
    cr_assert_not_null(hostent);
    return hostent;
}

static void run(struct lookup *lookup, play_server *server)
{
    const uint64_t began_ns = now_ns;
    asked_length = 0;
    asked[0] = '\0';
    for (int steps = 0; steps < STEPS_MAX; steps++) {
        const struct lookup_ground ground = {
            .config = config,
            .hosts_file = no_hosts_file ? NULL : &hosts_file,
            .search = &config->search,
            .nameservers = &config->nameservers,
            .cache = &cache,
        };
        struct query_ask ask;
        uint64_t until_ns;
        switch (lookup_next(lookup, &ground, now_ns, &ask, &until_ns)) {
        case LOOKUP_ASK:
            note_ask(began_ns, &ask, lookup_question(lookup));
            ask_server(lookup, &ground, &ask, server);
            break;
        case LOOKUP_WAIT:
            now_ns = until_ns;
            break;
        case LOOKUP_SYSTEM:
            note("%ssystem", asked_length ? ", " : "");
            lookup_system_answered(lookup, system_knows ? 0 : WEIR_NXDOMAIN,
                                   system_knows ? of_system() : NULL);
            break;
        case LOOKUP_DONE:
            return;
        }
    }
    cr_assert(0, "a look-up that never ends");
}

static const char *result_of(struct lookup *lookup)
{
    static char text[4096];
    char address[WEIR_ADDRESS_TEXT_SIZE];
    const weir_hostent *hostent = lookup->hostent;
    if (lookup->result < 0)
        return weir_error_name(lookup->result);
    int length = snprintf(text, sizeof(text), "%s", hostent->h_name);
    for (size_t i = 0; i < hostent->alias_count; i++)
        length +=
            snprintf(text + length, sizeof(text) - (size_t)length, " %s", hostent->h_aliases[i]);
    length += snprintf(text + length, sizeof(text) - (size_t)length, " |");
    for (size_t i = 0; i < hostent->address_count; i++)
        length += snprintf(text + length, sizeof(text) - (size_t)length, " %s",
                           weir_address_format(&hostent->h_addr_list[i], address));
    cr_expect_eq(hostent->h_addrtype, lookup->family);
    return text;
}

const char *play_name(const char *name, enum weir_family family, play_server *server)
{
    struct lookup lookup;
    if (lookup_open_name(&lookup, config, name, family) < 0)
        return "enomem";
    run(&lookup, server);
    const char *result = result_of(&lookup);
    lookup_close(&lookup);
    return result;
}

const char *play_address(const char *text, play_server *server)
{
    struct lookup lookup;
    weir_address address;
    cr_assert_eq(weir_address_parse(text, &address), 0);
    address.port = 80; /* of no meaning */
    cr_assert_eq(lookup_open_address(&lookup, config, &address), 0);
    run(&lookup, server);
    const char *result = result_of(&lookup);
    lookup_close(&lookup);
    return result;
}

const char *play_asked(void)
{
    return asked;
}
