/* SPDX-License-Identifier: MIT */
/* What a load needs before it begins: connections, their memory, the options of their sockets, and
 * as many descriptors and ports as it will use. */
#include "base/memory.h"
#include "command.h"
#include "load/traffic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { OWN_DESCRIPTORS = 64 }; /* of the runtime and of the process */

static int check_descriptors(const struct plan *plan)
{
    struct rlimit limit;
    rlim_t needed = plan->connections + OWN_DESCRIPTORS;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < needed) {
        struct rlimit raised = {needed < limit.rlim_max ? needed : limit.rlim_max, limit.rlim_max};
        setrlimit(RLIMIT_NOFILE, &raised);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= needed)
        return 0;
    return command_misused("load",
                           "--connections: %u need %" PRIu64 " descriptors, and ulimit -n allows "
                           "%" PRIu64,
                           plan->connections, (uint64_t)needed, (uint64_t)limit.rlim_cur);
}

/* From one address to one port there are as many connections as ephemeral ports. */
static int check_ports(const struct plan *plan)
{
    unsigned first = 32768, last = 60999;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file) {
        (void)!fscanf(file, "%u %u", &first, &last);
        fclose(file);
    }
    uint64_t sources = plan->source_count ? plan->source_count : 1;
    uint64_t ports = sources * (last - first + 1);
    if (plan->connections <= ports || plan->target.is_local)
        return 0;
    return command_misused("load",
                           "--connections: %u need more ports than %" PRIu64 " source address%s "
                           "ha%s (%" PRIu64 ": net.ipv4.ip_local_port_range); give --source "
                           "ADDRESS, several times",
                           plan->connections, sources, sources == 1 ? "" : "es",
                           sources == 1 ? "s" : "ve", ports);
}

enum { OWN_OPTIONS = 5 };

static size_t length_of(const weir_option *list)
{
    size_t length = 0;
    while (list[length].id != WEIR_OPTION_END)
        length++;
    return length;
}

/* Datagrams bring their time stamps along. */
static bool is_stamped(const struct plan *plan)
{
    return plan->own_queue && plan->target.scheme != TARGET_UDP;
}

static void fill_options(weir_option *list, const weir_option *first, size_t count,
                         const struct plan *plan, const weir_address *source)
{
    const struct target *target = &plan->target;
    weir_option *end = list + count;
    memcpy(list, first, count * sizeof(*list));
    *end++ = WEIR_ACTIVE(is_stamped(plan) ? WEIR_ACTIVE_FALSE : WEIR_ACTIVE_TRUE);
    if (target->scheme != TARGET_UDP && !target->is_local)
        *end++ = WEIR_NODELAY(true);
    if (target->scheme != TARGET_UDP)
        *end++ = WEIR_SHOW_ECONNRESET(true);
    else if (strchr(target->host, ':'))
        *end++ = WEIR_INET6();
    if (source)
        *end++ = WEIR_IP(*source);
    *end = weir_option_number(WEIR_OPTION_END, 0);
}

static int make_options(struct traffic *traffic)
{
    const struct plan *plan = traffic->plan;
    weir_option *first;
    size_t lists = plan->source_count ? plan->source_count : 1;
    if (weir_options_parse(traffic->protocol->options, &first) < 0)
        return command_misused("load", "%s", weir_last_error_text());
    size_t count = length_of(first);
    traffic->option_count = count + OWN_OPTIONS;
    traffic->options = memory_allocate_zeroed(lists * traffic->option_count, sizeof(*first));
    for (size_t i = 0; traffic->options && i < lists; i++)
        fill_options(traffic->options + i * traffic->option_count, first, count, plan,
                     plan->source_count ? &plan->sources[i] : NULL);
    weir_options_free(first);
    return traffic->options ? 0 : command_misused("load", "no memory for options");
}

static int make_stamped(struct traffic *traffic)
{
    const struct plan *plan = traffic->plan;
    size_t bytes = stamped_bytes(plan);
    if (!is_stamped(plan))
        return 0;
    traffic->stamped = memory_allocate_zeroed(plan->connections, sizeof(*traffic->stamped));
    traffic->stamped_bytes = memory_allocate_zeroed(plan->connections, bytes);
    if (!traffic->stamped || !traffic->stamped_bytes)
        return command_misused("load", "--own-queue: no memory for %u connections",
                               plan->connections);
    for (uint32_t i = 0; i < plan->connections; i++) {
        traffic->stamped[i].bytes = traffic->stamped_bytes + i * bytes;
        traffic->connections[i].stamped = &traffic->stamped[i];
    }
    stamped_begin();
    return 0;
}

static int make_connections(struct traffic *traffic)
{
    const struct plan *plan = traffic->plan;
    size_t count = plan->connections, reply_bytes = traffic->protocol->reply_bytes;
    traffic->connections = memory_allocate_zeroed(count, sizeof(*traffic->connections));
    traffic->requests = memory_allocate_zeroed(count * plan->depth, sizeof(*traffic->requests));
    traffic->replies = memory_allocate_zeroed(count, reply_bytes ? reply_bytes : 1);
    if (!traffic->connections || !traffic->requests || !traffic->replies)
        return command_misused("load", "no memory for %u connections", plan->connections);
    for (uint32_t i = 0; i < count; i++) {
        struct connection *connection = &traffic->connections[i];
        *connection = (struct connection){
            .traffic = traffic,
            .index = i,
            .requests = traffic->requests + (size_t)i * plan->depth,
            .reply.head = traffic->replies + i * reply_bytes,
        };
        list_append(&traffic->down, &connection->link);
    }
    return 0;
}

int traffic_prepare(struct traffic *traffic, const struct plan *plan, weir_runtime *runtime,
                    struct results *results)
{
    *traffic = (struct traffic){
        .plan = plan,
        .protocol = protocol_find(plan),
        .runtime = runtime,
        .results = results,
        .armed_ns = ALARM_NEVER,
        .size_dice = plan->arrivals.seed,
    };
    list_init(&traffic->with_room);
    list_init(&traffic->thinking);
    list_init(&traffic->down);
    alarm_init(&traffic->alarm);
    if (!traffic->protocol)
        return command_misused("load", "--packet: '%s' is none of raw, 1, 2, 4, line",
                               plan->packet);
    int status = check_ports(plan);
    if (status == 0)
        status = check_descriptors(plan);
    if (status == 0)
        status = traffic->protocol->begin(plan);
    if (status == 0)
        status = make_options(traffic);
    if (status == 0)
        status = make_connections(traffic);
    return status ? status : make_stamped(traffic);
}

void traffic_free(struct traffic *traffic)
{
    if (traffic->protocol)
        traffic->protocol->end();
    memory_free(traffic->options);
    memory_free(traffic->connections);
    memory_free(traffic->requests);
    memory_free(traffic->replies);
    memory_free(traffic->stamped);
    memory_free(traffic->stamped_bytes);
    stamped_end();
    alarm_destroy(&traffic->alarm);
}
