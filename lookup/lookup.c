/* SPDX-License-Identifier: MIT */
#include "lookup/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address/hostent.h"
#include "address/name.h"
#include "base/error.h"
#include "base/memory.h"
#include "lookup/questions.h"

enum { NS_PER_S = 1000000000 };

int lookup_open_name(struct lookup *lookup, const struct inet_config *config, const char *name,
                     enum weir_family family)
{
    *lookup = (struct lookup){.kind = LOOKUP_NAME,
                              .name = memory_copy_text(name),
                              .family = family,
                              .methods = config->lookup,
                              .type = family == WEIR_INET ? ns_t_a : ns_t_aaaa};
    return lookup->name ? 0 : -ENOMEM;
}

int lookup_open_address(struct lookup *lookup, const struct inet_config *config,
                        const weir_address *address)
{
    *lookup = (struct lookup){.kind = LOOKUP_ADDRESS,
                              .address = *address,
                              .family = (enum weir_family)address->family,
                              .methods = config->lookup,
                              .type = ns_t_ptr};
    lookup->address.port = 0;
    return 0;
}

void lookup_close(struct lookup *lookup)
{
    memory_free(lookup->name);
    text_list_clear(&lookup->questions);
    weir_hostent_free(lookup->hostent);
    *lookup = (struct lookup){.kind = lookup->kind};
}

void lookup_begin_again(struct lookup *lookup, const struct inet_config *config)
{
    struct lookup again = {.kind = lookup->kind,
                           .name = lookup->name,
                           .address = lookup->address,
                           .family = lookup->family,
                           .methods = config->lookup,
                           .type = lookup->type};
    text_list_clear(&lookup->questions);
    weir_hostent_free(lookup->hostent);
    *lookup = again;
}

const char *lookup_question(const struct lookup *lookup)
{
    return lookup->questions.texts[lookup->question];
}

/* Nothing more is tried. */
static void settle(struct lookup *lookup, int result)
{
    lookup->result = result;
    lookup->method = lookup->methods.count + 1;
}

static bool is_settled(const struct lookup *lookup)
{
    return lookup->method > lookup->methods.count;
}

/* What a method that is over came to. Without success the next one has its turn. */
static void method_over(struct lookup *lookup, int result)
{
    lookup->in_dns = false;
    if (result == 0 || result == -EINVAL || result == -ENOMEM || result == WEIR_TIMEOUT)
        settle(lookup, result);
    else
        lookup->method++;
}

static int answer_with(struct lookup *lookup, const char *name, const char *alias,
                       const weir_address *address)
{
    lookup->hostent = hostent_create(name, &alias, alias != NULL, address, 1);
    return lookup->hostent ? 0 : -ENOMEM;
}

/* A name that is an address is that, whatever the methods; of the other family it is nobody's. */
static int try_literal(struct lookup *lookup)
{
    weir_address address;
    weir_address other;
    bool inet = lookup->family == WEIR_INET;
    if (!*lookup->name)
        return error_say(-EAFNOSUPPORT, "the empty name is nobody's");
    int result = inet ? weir_address_parse_ipv4(lookup->name, &address)
                      : weir_address_parse_strict(lookup->name, &address);
    if (result == 0 && address.family == lookup->family)
        return answer_with(lookup, lookup->name, NULL, &address);
    if (weir_address_parse(lookup->name, &other) == 0)
        return error_say(-EAFNOSUPPORT, "host '%s': an address of the other family", lookup->name);
    return WEIR_NXDOMAIN;
}

static int try_hosts(struct lookup *lookup, const struct host_table *hosts)
{
    if (!hosts)
        return WEIR_NXDOMAIN;
    return lookup->kind == LOOKUP_NAME
               ? host_table_by_name(hosts, lookup->name, lookup->family, &lookup->hostent)
               : host_table_by_address(hosts, &lookup->address, &lookup->hostent);
}

static int try_files(struct lookup *lookup, const struct lookup_ground *ground)
{
    int result = try_hosts(lookup, &ground->config->hosts);
    return result == WEIR_NXDOMAIN ? try_hosts(lookup, ground->hosts_file) : result;
}

static void full_name(const struct inet_config *config, char name[2 * NAME_TEXT_SIZE])
{
    const char *domain = config->texts[INET_DOMAIN];
    snprintf(name, 2 * NAME_TEXT_SIZE, *domain ? "%s.%s" : "%s", config->host_name, domain);
}

static weir_address loopback(enum weir_family family)
{
    weir_address address = {.family = (uint8_t)family};
    if (family == WEIR_INET)
        memcpy(address.bytes, (const uint8_t[]){127, 0, 0, 1}, 4);
    else
        address.bytes[15] = 1;
    return address;
}

/* After everything: this machine's own name, and its loopback address. */
static int try_self(struct lookup *lookup, const struct inet_config *config)
{
    char full[2 * NAME_TEXT_SIZE];
    const weir_address own = loopback(lookup->family);
    full_name(config, full);
    if (lookup->kind == LOOKUP_ADDRESS) {
        if (!weir_address_equal(&own, &lookup->address))
            return error_say(WEIR_NXDOMAIN, "nobody has a name for the address");
        bool has_domain = *config->texts[INET_DOMAIN];
        return answer_with(lookup, full, has_domain ? config->host_name : NULL, &own);
    }
    if (name_equals(lookup->name, config->host_name))
        return answer_with(lookup, config->host_name, NULL, &own);
    if (name_equals(lookup->name, full))
        return answer_with(lookup, full, NULL, &own);
    return error_say(WEIR_NXDOMAIN, "host '%s': nobody knows it", lookup->name);
}

/* What was answered before, in the order in which it would be asked for. */
static const weir_hostent *find_cached(const struct lookup *lookup,
                                       const struct lookup_ground *ground, uint64_t now_ns)
{
    for (size_t i = 0; i < lookup->questions.count; i++) {
        const weir_hostent *found =
            cache_find(ground->cache, lookup->questions.texts[i], lookup->type, now_ns);
        if (found)
            return found;
    }
    return NULL;
}

/* The same name as another asker wrote it; the same address as another may be written, too. */
static int answer_cached(struct lookup *lookup, const weir_hostent *found)
{
    lookup->hostent = lookup->kind == LOOKUP_NAME
                          ? hostent_copy(found)
                          : hostent_create(found->h_name, found->h_aliases, found->alias_count,
                                           &lookup->address, 1);
    return lookup->hostent ? 0 : -ENOMEM;
}

static void begin_question(struct lookup *lookup, const struct lookup_ground *ground)
{
    lookup->alternative = false;
    query_begin(&lookup->query, ground->config, ground->nameservers);
}

/* Either the questions are under way, or what the method came to. */
static int start_dns(struct lookup *lookup, const struct lookup_ground *ground, uint64_t now_ns)
{
    if (lookup->kind == LOOKUP_NAME && !name_is_visible(lookup->name))
        return error_say(-EINVAL, "a host name is one or more printable characters, no blanks");
    int result = questions_list(lookup, ground);
    if (result < 0)
        return result;
    const weir_hostent *found = find_cached(lookup, ground, now_ns);
    if (found)
        return answer_cached(lookup, found);
    if (lookup->questions.count == 0)
        return WEIR_NXDOMAIN;
    lookup->question = 0;
    lookup->in_dns = true;
    begin_question(lookup, ground);
    return 0;
}

/* How a question that nobody answered ends the method, if it was the last. */
static int result_of(const struct lookup *lookup)
{
    switch (lookup->query.reason) {
    case OUTCOME_NONSENSE:
        return error_say(-EINVAL, "the name servers' answers cannot be read");
    case OUTCOME_TIMEOUT:
        /* Of an address it is told as such. */
        if (lookup->kind == LOOKUP_ADDRESS)
            return error_say(WEIR_TIMEOUT, "no name server answered in time");
        return error_say(WEIR_NXDOMAIN, "host '%s': no name server answered in time", lookup->name);
    default:
        return WEIR_NXDOMAIN;
    }
}

/* No server had an answer to the present question. */
static void question_over(struct lookup *lookup, const struct lookup_ground *ground)
{
    bool none =
        lookup->query.reason == OUTCOME_NO_SUCH_NAME || lookup->query.reason == OUTCOME_TIMEOUT;
    if (none && !lookup->alternative && lookup->question < lookup->with_alternatives &&
        ground->config->alt_nameservers.count > 0) {
        lookup->alternative = true;
        query_begin(&lookup->query, ground->config, &ground->config->alt_nameservers);
    } else if (lookup->question + 1 < lookup->questions.count) {
        lookup->question++;
        begin_question(lookup, ground);
    } else {
        method_over(lookup, result_of(lookup));
    }
}

static void run_method(struct lookup *lookup, const struct lookup_ground *ground, uint64_t now_ns)
{
    switch (lookup->methods.methods[lookup->method]) {
    case LOOKUP_FILE:
        method_over(lookup, try_files(lookup, ground));
        break;
    case LOOKUP_DNS: {
        int result = start_dns(lookup, ground, now_ns);
        if (!lookup->in_dns)
            method_over(lookup, result);
        break;
    }
    default:
        break;
    }
}

static bool asks_system(const struct lookup *lookup)
{
    uint8_t method = lookup->methods.methods[lookup->method];
    return method != LOOKUP_FILE && method != LOOKUP_DNS;
}

/* The literal comes before the methods. */
static void begin(struct lookup *lookup)
{
    if (lookup->started)
        return;
    lookup->started = true;
    int result = lookup->kind == LOOKUP_NAME ? try_literal(lookup) : WEIR_NXDOMAIN;
    if (result == -EAFNOSUPPORT)
        settle(lookup, WEIR_NXDOMAIN);
    else if (result != WEIR_NXDOMAIN)
        settle(lookup, result);
}

enum lookup_step lookup_next(struct lookup *lookup, const struct lookup_ground *ground,
                             uint64_t now_ns, struct query_ask *ask, uint64_t *until_ns)
{
    begin(lookup);
    while (!is_settled(lookup)) {
        if (lookup->in_dns) {
            enum query_step step = query_next(&lookup->query, now_ns, ask, until_ns);
            if (step != QUERY_OVER)
                return step == QUERY_ASK ? LOOKUP_ASK : LOOKUP_WAIT;
            question_over(lookup, ground);
        } else if (lookup->method == lookup->methods.count) {
            settle(lookup, try_self(lookup, ground->config));
        } else if (asks_system(lookup)) {
            return LOOKUP_SYSTEM;
        } else {
            run_method(lookup, ground, now_ns);
        }
    }
    return LOOKUP_DONE;
}

void lookup_system_answered(struct lookup *lookup, int result, weir_hostent *hostent)
{
    if (result == 0)
        lookup->hostent = hostent;
    method_over(lookup, result);
}

static enum query_outcome outcome_of(ns_rcode code)
{
    switch (code) {
    case ns_r_formerr:
        return OUTCOME_MALFORMED;
    case ns_r_servfail:
        return OUTCOME_SERVER_FAILED;
    case ns_r_nxdomain:
        return OUTCOME_NO_SUCH_NAME;
    default:
        return OUTCOME_UNABLE;
    }
}

/* An answer without an error. */
static void take_answer(struct lookup *lookup, const struct lookup_ground *ground, uint64_t now_ns,
                        const struct answer *answer)
{
    uint32_t ttl_s;
    int result = answer_find(answer, lookup_question(lookup), lookup->type, &lookup->address,
                             &lookup->hostent, &ttl_s);
    if (result == 0) {
        cache_put(ground->cache, lookup_question(lookup), lookup->type, lookup->hostent, now_ns,
                  (uint64_t)ttl_s * NS_PER_S);
        method_over(lookup, 0);
    } else if (result == -EBADMSG) {
        query_went(&lookup->query, OUTCOME_NONSENSE, now_ns);
    } else if (result == -ENOMEM) {
        settle(lookup, result);
    } else {
        /* Only an answer without any record sends the question on to other servers. */
        lookup->query.over = true;
        lookup->query.reason = answer->record_count == 0 ? OUTCOME_NO_SUCH_NAME : OUTCOME_UNABLE;
    }
}

void lookup_answered(struct lookup *lookup, const struct lookup_ground *ground, uint64_t now_ns,
                     const void *bytes, size_t size, bool by_tcp)
{
    struct answer answer;
    if (answer_read(&answer, bytes, size) < 0)
        query_went(&lookup->query, OUTCOME_NONSENSE, now_ns);
    else if (answer.code != ns_r_noerror)
        query_went(&lookup->query, outcome_of(answer.code), now_ns);
    else if (answer.truncated && !by_tcp)
        query_went(&lookup->query, OUTCOME_TRUNCATED, now_ns);
    else
        take_answer(lookup, ground, now_ns, &answer);
}

void lookup_failed(struct lookup *lookup, const struct lookup_ground *ground, uint64_t now_ns,
                   enum query_outcome outcome)
{
    (void)ground;
    if (outcome == OUTCOME_NO_MEMORY)
        settle(lookup, error_say(-ENOMEM, "no memory to ask a name server"));
    else
        query_went(&lookup->query, outcome, now_ns);
}
