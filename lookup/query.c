/* SPDX-License-Identifier: MIT */
#include "lookup/query.h"

enum { TCP_FACTOR = 5, ROUND_SHIFT_MAX = 20, NS_PER_MS = 1000000, TIMEOUT_MS_MAX = 86400000 };

void query_begin(struct query *query, const struct inet_config *config,
                 const struct server_list *servers)
{
    *query = (struct query){.config = config,
                            .count = servers->count,
                            .reason = servers->count > 0 ? OUTCOME_TIMEOUT : OUTCOME_NO_SUCH_NAME};
    for (size_t i = 0; i < servers->count; i++)
        query->servers[i] = (struct query_server){.address = servers->servers[i]};
}

static uint64_t bounded(int64_t timeout_ms)
{
    if (timeout_ms < 1)
        return 1;
    return timeout_ms < TIMEOUT_MS_MAX ? (uint64_t)timeout_ms : TIMEOUT_MS_MAX;
}

static uint64_t timeout_of(const struct query *query, bool tcp)
{
    int64_t timeout_ms = query->config->numbers[INET_TIMEOUT_MS];
    int64_t round = query->round < ROUND_SHIFT_MAX ? query->round : ROUND_SHIFT_MAX;
    if (timeout_ms > TIMEOUT_MS_MAX)
        timeout_ms = TIMEOUT_MS_MAX;
    return bounded(tcp ? timeout_ms * TCP_FACTOR
                       : (timeout_ms << round) / query->config->numbers[INET_RETRY]);
}

/* Those that are asked again become the servers of the next round. */
static void end_round(struct query *query)
{
    query->count = query->kept;
    query->kept = 0;
    query->next = 0;
    query->round++;
    if (query->count == 0 || query->round >= query->config->numbers[INET_RETRY])
        query->over = true;
}

enum query_step query_next(struct query *query, uint64_t now_ns, struct query_ask *ask,
                           uint64_t *until_ns)
{
    if (!query->over && query->next == query->count)
        end_round(query);
    if (query->over)
        return QUERY_OVER;
    const struct query_server *server = &query->servers[query->next];
    if (server->not_before_ns > now_ns) {
        *until_ns = server->not_before_ns;
        return QUERY_WAIT;
    }
    bool tcp = query->tcp || query->config->numbers[INET_USEVC];
    *ask = (struct query_ask){
        .server = server->address,
        .tcp = tcp,
        .edns = query->config->numbers[INET_EDNS] != EDNS_OFF && !query->plain,
        .timeout_ms = timeout_of(query, tcp),
    };
    return QUERY_ASK;
}

static void leave_server(struct query *query)
{
    query->next++;
    query->tcp = false;
    query->plain = false;
}

static void keep_server(struct query *query, uint64_t not_before_ns)
{
    struct query_server server = query->servers[query->next];
    server.not_before_ns = not_before_ns;
    query->servers[query->kept++] = server;
    leave_server(query);
}

/* Who does not understand EDNS is asked again without. */
static bool try_without_edns(struct query *query, enum query_outcome outcome)
{
    if (query->config->numbers[INET_EDNS] == EDNS_OFF || query->plain ||
        (outcome != OUTCOME_SERVER_FAILED && outcome != OUTCOME_MALFORMED &&
         outcome != OUTCOME_UNABLE))
        return false;
    query->plain = true;
    query->tcp = false;
    return true;
}

static uint64_t after_failure_ns(const struct query *query, uint64_t now_ns)
{
    int64_t wait_ms = query->config->numbers[INET_SERVFAIL_RETRY_TIMEOUT_MS];
    return now_ns + (wait_ms > 0 ? bounded(wait_ms) * NS_PER_MS : 0);
}

void query_went(struct query *query, enum query_outcome outcome, uint64_t now_ns)
{
    if (outcome == OUTCOME_TRUNCATED) {
        query->tcp = true;
        return;
    }
    if (try_without_edns(query, outcome))
        return;
    if (outcome != OUTCOME_TIMEOUT)
        query->reason = outcome;
    if (outcome == OUTCOME_NO_SUCH_NAME)
        query->over = true;
    else if (outcome == OUTCOME_TIMEOUT)
        keep_server(query, 0);
    else if (outcome == OUTCOME_SERVER_FAILED)
        keep_server(query, after_failure_ns(query, now_ns));
    else
        leave_server(query);
}
