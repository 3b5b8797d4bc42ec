/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include "await.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "command.h"
#include "figures.h"
#include "metrics.h"
#include "notify.h"
#include "place.h"
#include "service.h"
#include "streams.h"
#include "switches.h"
#include "takeover.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char serve_details[] =
    "SERVICE is one of\n"
    "  echo      each packet goes back in the framing that it came in\n"
    "  http      HTTP/1.1: a greeting, or how many bytes of body came\n"
    "  udp-echo  each datagram goes back to where it came from\n"
    "  dns       answers of a zone file, over UDP and, on the same port, over TCP;\n"
    "            of --listen it takes ADDRESS:PORT alone, and no --takeover\n"
    "\n"
    "  --listen ADDRESS:PORT    where; \":PORT\" is every address, port 0 picks one; it\n"
    "                           may be given several times\n"
    "  --listen unix:PATH       a local socket, whose file is removed in the end;\n"
    "                           unix:@NAME is one without a file\n"
    "  --listen systemd[:NAME]  the sockets that systemd has passed, those of that\n"
    "                           name\n"
    "  --options TERMS          options of the listener, as in '[{packet,4},binary]'\n"
    "  --default-listen-options TERMS\n"
    "                           inet_default_listen_options\n"
    "  --schedulers N           how many; one per core if it is left out\n"
    "  --cpus LIST              cores to pin them to, as in 0,2-3\n"
    "  --busy-wait US           microseconds an idle scheduler looks before it sleeps\n"
    "  --gather US              microseconds that arrivals gather while one sleeps\n"
    "  --buffers COUNTxBYTES    receive buffers of each scheduler, as in 1024x16384\n"
    "  --zero-copy BYTES        sends of this size and more leave the copy out; 0:\n"
    "                           none\n"
    "  --features-off LIST      kernel features to leave alone; see 'weir doctor'\n"
    "  --drain MS               how long a stop waits for connections to end (1000)\n"
    "  --idle S                 how long a connection may be without a byte either\n"
    "                           way (for ever); http: without progress (60)\n"
    "  --limit N                connections of each place at a time,\n"
    "                           {max_connections,_}: who comes then waits until one\n"
    "                           ends (any number)\n"
    "  --slow US                a line on stderr for each callback that takes this\n"
    "                           long\n"
    "  --metrics ADDRESS:PORT   answers GET /metrics there with figures for\n"
    "                           Prometheus\n"
    "  --takeover PATH          replaces the server that was started with the same\n"
    "                           PATH, if there is one: gets its sockets of the places\n"
    "                           that both have by a local socket there; it leaves\n"
    "                           when this one serves\n"
    "  --zone FILE              dns: rows of A, AAAA, PTR, TXT and CNAME, as in\n"
    "                           '$ORIGIN example.test.' and, below it,\n"
    "                           'www A 192.0.2.1'\n"
    "\n"
    "Each of them once, but for --listen. What a service cannot do without goes\n"
    "before the options given: http reads lines, cut at {buffer,_} bytes (8192).\n"
    "\n"
    "Prints 'listening on PLACE' for each when they are ready. SIGTERM and SIGINT end\n"
    "it: no new connections, those that are there get the drain time; a second one\n"
    "ends it at once. systemd is told when it serves and when it stops\n"
    "(NOTIFY_SOCKET).\n";

struct plan {
    const struct service *service;
    struct places places;
    struct takeover takeover;
    weir_address metrics;
    bool has_metrics;
    const char *options;
    const char *zone;
    uint32_t drain_ms;
    uint32_t idle_s; /* 0: not given, */
    uint32_t limit;  /* and the same */
    weir_config config;
};

static int read_number(const char *name, const char *text, uint32_t *number)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value > UINT32_MAX)
        return command_misused("serve", "%s: '%s' is not a number from 0 to %u", name, text,
                               UINT32_MAX);
    *number = (uint32_t)value;
    return 0;
}

static int read_buffers(const char *text, void *of)
{
    struct plan *plan = of;
    char count[16];
    size_t size = strcspn(text, "x");
    if (!text[size] || size >= sizeof(count))
        return command_misused("serve", "--buffers: '%s' is not COUNTxBYTES", text);
    memcpy(count, text, size);
    count[size] = '\0';
    int status = read_number("--buffers", count, &plan->config.buffer_count);
    return status ? status : read_number("--buffers", text + size + 1, &plan->config.buffer_size);
}

static int read_idle(const char *text, void *of)
{
    struct plan *plan = of;
    int status = read_number("--idle", text, &plan->idle_s);
    if (status == 0 && plan->idle_s == 0)
        return command_misused("serve", "--idle: no connection does anything in 0 seconds");
    if (status == 0 && plan->idle_s > UINT32_MAX / 1000)
        return command_misused("serve", "--idle: '%s' is more than %" PRIu32 " seconds", text,
                               UINT32_MAX / 1000);
    return status;
}

static int read_limit(const char *text, void *of)
{
    struct plan *plan = of;
    int status = read_number("--limit", text, &plan->limit);
    if (status == 0 && plan->limit == 0)
        return command_misused("serve", "--limit: 0 connections are none at all");
    return status;
}

static int read_listen(const char *text, void *of)
{
    struct plan *plan = of;
    if (places_add(&plan->places, text) < 0)
        return command_misused("serve", "--listen: %s", weir_last_error_text());
    return 0;
}

static int read_takeover(const char *text, void *of)
{
    struct plan *plan = of;
    char address[PLACE_TEXT_SIZE];
    snprintf(address, sizeof(address), "unix:%s", text);
    plan->takeover.path = text;
    if (place_read(&plan->takeover.file, address) < 0)
        return command_misused("serve", "--takeover: %s", weir_last_error_text());
    return 0;
}

static int read_metrics(const char *text, void *of)
{
    struct plan *plan = of;
    plan->has_metrics = true;
    if (weir_address_parse_endpoint(text, &plan->metrics) < 0)
        return command_misused("serve", "--metrics: %s", weir_last_error_text());
    return 0;
}

static const struct switch_row rows[] = {
    {.name = "--listen", .read = read_listen, .may_repeat = true},
    {.name = "--options", .text_at = offsetof(struct plan, options)},
    {.name = "--default-listen-options",
     .text_at = offsetof(struct plan, config.default_listen_options)},
    {.name = "--schedulers", .number_at = offsetof(struct plan, config.schedulers)},
    {.name = "--cpus", .text_at = offsetof(struct plan, config.cpus)},
    {.name = "--busy-wait", .number_at = offsetof(struct plan, config.busy_wait_us)},
    {.name = "--gather", .number_at = offsetof(struct plan, config.gather_us)},
    {.name = "--buffers", .read = read_buffers},
    {.name = "--zero-copy", .number_at = offsetof(struct plan, config.zero_copy_from_bytes)},
    {.name = "--features-off", .text_at = offsetof(struct plan, config.features_off)},
    {.name = "--drain", .number_at = offsetof(struct plan, drain_ms)},
    {.name = "--idle", .read = read_idle},
    {.name = "--limit", .read = read_limit},
    {.name = "--slow", .number_at = offsetof(struct plan, config.slow_callback_us)},
    {.name = "--metrics", .read = read_metrics},
    {.name = "--takeover", .read = read_takeover},
    {.name = "--zone", .text_at = offsetof(struct plan, zone)},
};

static const struct switches switches = {
    .command = "serve",
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .read_number = read_number,
};

static int unknown_service(const char *name)
{
    char text[SUGGEST_TEXT_SIZE];
    struct suggestion suggestion;
    if (name[0] == '-')
        return command_misused("serve", "before %s goes the service; there are: %s", name,
                               service_names());
    suggest_begin(&suggestion, name, strlen(name));
    service_suggest(&suggestion);
    if (suggestion.nearest)
        return command_misused("serve", "there is no service '%s'%s", name,
                               suggest_text(&suggestion, text));
    return command_misused("serve", "there is no service '%s'; there are: %s", name,
                           service_names());
}

/* What a service cannot do, before it is tried. */
static int check_service(const struct plan *plan)
{
    const struct service *service = plan->service;
    bool by_address = !plan->places.systemd;
    for (size_t i = 0; i < plan->places.count; i++)
        by_address = by_address && !plan->places.at[i].is_local;
    if (service->load && !plan->zone)
        return command_misused("serve", "--zone FILE is needed by %s", service->name);
    if (plan->zone && !service->load)
        return command_misused("serve", "--zone: %s takes none", service->name);
    if (service->opens_pairs && !by_address)
        return command_misused("serve", "--listen: %s takes nothing but ADDRESS:PORT",
                               service->name);
    if (plan->limit > 0 && !service->has_connections)
        return command_misused("serve", "--limit: %s takes none", service->name);
    if (plan->idle_s > 0 && !service->has_connections)
        return command_misused("serve", "--idle: %s takes none", service->name);
    if (service->opens_pairs && plan->takeover.path)
        return command_misused("serve", "--takeover: %s takes none", service->name);
    return 0;
}

static int read_plan(int argc, char **argv, struct plan *plan)
{
    uint64_t seen = 0;
    if (argc < 2)
        return command_misused("serve", "which service? There are: %s", service_names());
    plan->service = service_find(argv[1]);
    if (!plan->service)
        return unknown_service(argv[1]);
    for (char **argument = argv + 2; *argument;) {
        int status = switches_read(&switches, &argument, plan, &seen);
        if (status != 0)
            return status;
    }
    if (plan->places.count == 0 && !plan->places.systemd)
        return command_misused("serve", "--listen ADDRESS:PORT is needed");
    return check_service(plan);
}

static int failed(const char *what, int error)
{
    const char *text = weir_last_error_text();
    fprintf(stderr, "weir serve: %s: %s\n", what, *text ? text : weir_error_text(error));
    return EXIT_FAILURE;
}

static size_t length_of(const weir_option *list)
{
    size_t length = 0;
    while (list[length].id != WEIR_OPTION_END)
        length++;
    return length;
}

enum { LIST_COUNT = 4 };

/* The service's options, the user's, then what is fixed or has a name of its own here: the last of
 * duplicates wins. What they point to stays where it was parsed. */
static int join_options(weir_option *const *lists, weir_option **all)
{
    size_t length = 0;
    for (size_t i = 0; i < LIST_COUNT; i++)
        length += length_of(lists[i]);
    *all = memory_allocate_zeroed(length + 1, sizeof(**all));
    if (!*all)
        return error_say(-ENOMEM, "no memory for a list of options");
    weir_option *end = *all;
    for (size_t i = 0; i < LIST_COUNT; i++) {
        memcpy(end, lists[i], length_of(lists[i]) * sizeof(*end));
        end += length_of(lists[i]);
    }
    return 0;
}

/* All of them, before any is told of. */
static int start_all(weir_runtime *runtime, struct plan *plan, const weir_option *list)
{
    char text[PLACE_TEXT_SIZE];
    if (places_lack_systemd(&plan->places))
        return error_say(-ENOENT, "systemd has passed no socket");
    int result = places_serve(&plan->places, runtime, plan->service, list);
    if (result < 0)
        return result;
    for (size_t i = 0; i < plan->places.count; i++)
        printf("listening on %s\n", place_format(&plan->places.at[i], text));
    fflush(stdout);
    return 0;
}

static int start_metrics(weir_runtime *runtime, const struct plan *plan)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address bound;
    int result = plan->has_metrics
                     ? metrics_serve(runtime, &plan->metrics, plan->takeover.path != NULL, &bound)
                     : 0;
    if (plan->has_metrics && result >= 0)
        printf("metrics on %s\n", weir_address_format_endpoint(&bound, text));
    return result;
}

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static int start_ticking(weir_runtime *runtime, const struct plan *plan)
{
    enum { SECOND_MS = 1000 };
    int count = plan->service->each_second ? (int)weir_scheduler_count(runtime) : 0;
    int result = 0;
    for (int i = 0; i < count && result >= 0; i++)
        result = weir_timer_start(runtime, i, SECOND_MS, SECOND_MS, plan->service->each_second,
                                  NULL, NULL);
    return result;
}

/* The services go on if it fails: a successor that cannot start is none. */
static bool is_replaced(struct plan *plan)
{
    (void)notify_say("RELOADING=1\n");
    if (takeover_answer(&plan->takeover, &plan->places)) {
        places_leave(&plan->places);
        return true;
    }
    fprintf(stderr, "weir serve: --takeover: a successor came and did not serve\n");
    (void)notify_ready();
    return false;
}

/* True: somebody has taken over. */
static bool wait_for_end(const struct await *await, struct plan *plan, weir_runtime *runtime)
{
    enum { SECOND_MS = 1000 };
    bool shows = isatty(STDOUT_FILENO);
    bool replaced = false;
    enum awaited awaited = AWAITED_TIME;
    struct figures figures;
    figures_begin(&figures, runtime);
    while (awaited != AWAITED_SIGNAL && !replaced) {
        awaited = await_next(await, shows ? SECOND_MS : -1);
        if (awaited == AWAITED_SUCCESSOR)
            replaced = is_replaced(plan);
        else if (shows && awaited == AWAITED_TIME)
            figures_show(&figures, runtime);
    }
    if (shows)
        putchar('\n');
    return replaced;
}

static void drain(weir_runtime *runtime, const sigset_t *signals, int64_t drain_ms)
{
    enum { SLICE_MS = 50 };
    const struct timespec at_once = {0};
    for (; drain_ms > 0; drain_ms -= SLICE_MS) {
        if (weir_drain(runtime, drain_ms < SLICE_MS ? drain_ms : SLICE_MS) == 0 ||
            sigtimedwait(signals, NULL, &at_once) > 0)
            return;
    }
}

static int start(weir_runtime *runtime, struct plan *plan, const weir_option *list)
{
    int result = start_ticking(runtime, plan);
    if (result < 0)
        return failed("cannot start", result);
    result = takeover_ask(&plan->takeover, &plan->places);
    if (result < 0)
        return failed("cannot take over", result);
    result = start_metrics(runtime, plan);
    if (result < 0)
        return failed("--metrics", result);
    result = start_all(runtime, plan, list);
    if (result < 0)
        return failed("--listen", result);
    result = takeover_ready(&plan->takeover);
    if (result < 0)
        return failed("cannot be taken over", result);
    if (notify_ready() < 0)
        (void)failed("readiness is not told", 0);
    return EXIT_SUCCESS;
}

static void end(const struct plan *plan, bool replaced)
{
    if (!replaced)
        (void)notify_say("STOPPING=1\n");
    takeover_end(&plan->takeover, replaced);
    for (size_t i = 0; i < plan->places.count && !replaced; i++)
        place_remove_file(&plan->places.at[i]);
}

static int serve(weir_runtime *runtime, struct plan *plan, const weir_option *list,
                 const sigset_t *signals)
{
    struct await await;
    int status = start(runtime, plan, list);
    if (status != EXIT_SUCCESS) { /* a predecessor goes on, and its files are its own */
        end(plan, plan->takeover.predecessor >= 0);
        return status;
    }
    int result = await_open(&await, signals, plan->takeover.listening);
    if (result < 0)
        return failed("cannot wait for signals", result);
    end(plan, wait_for_end(&await, plan, runtime));
    await_close(&await);
    drain(runtime, signals, plan->drain_ms);
    figures_print_totals(runtime);
    return EXIT_SUCCESS;
}

static int start_and_serve(struct plan *plan, const weir_option *list)
{
    weir_runtime *runtime;
    sigset_t signals;
    block_signals(&signals);
    if (plan->service->begin)
        plan->service->begin(plan->idle_s > 0 ? plan->idle_s : 60);
    int result = weir_start(&runtime, &plan->config);
    if (result < 0)
        return failed("cannot start", result);
    int status = serve(runtime, plan, list, &signals);
    weir_stop(runtime);
    return status;
}

static int load_and_serve(struct plan *plan, const weir_option *list)
{
    const struct service *service = plan->service;
    int result = service->load ? service->load(plan->zone) : 0;
    if (result < 0)
        return failed("--zone", result);
    int status = start_and_serve(plan, list);
    if (service->unload)
        service->unload();
    return status;
}

enum { OWN_TEXT_SIZE = 128 };

/* Of those that have a switch. */
static const char *own_options(const struct plan *plan, char text[OWN_TEXT_SIZE])
{
    uint64_t idle_ms = plan->service->begin ? 0 : plan->idle_s * UINT64_C(1000);
    char idle[48] = "";
    char limit[48] = "";
    if (idle_ms > 0)
        snprintf(idle, sizeof(idle), "{idle_timeout,%" PRIu64 "}", idle_ms);
    if (plan->limit > 0)
        snprintf(limit, sizeof(limit), "{max_connections,%" PRIu32 "}", plan->limit);
    snprintf(text, OWN_TEXT_SIZE, "[%s%s%s]", idle, idle[0] && limit[0] ? "," : "", limit);
    return text;
}

int serve_run(int argc, char **argv)
{
    struct plan plan = {
        .drain_ms = 1000,
        .options = "[]",
        .takeover = {.listening = -1, .predecessor = -1},
    };
    weir_option *lists[LIST_COUNT] = {NULL};
    weir_option *all = NULL;
    int status = read_plan(argc, argv, &plan);
    if (status != 0)
        return status;
    streams_let_nobody_listen();
    char own[OWN_TEXT_SIZE];
    const char *texts[LIST_COUNT] = {plan.service->options, plan.options, plan.service->fixed,
                                     own_options(&plan, own)};
    int result = 0;
    for (size_t i = 0; i < LIST_COUNT && result >= 0; i++)
        result = weir_options_parse(texts[i], &lists[i]);
    if (result >= 0)
        result = join_options(lists, &all);
    status = result < 0 ? failed("--options", result) : load_and_serve(&plan, all);
    memory_free(all);
    for (size_t i = 0; i < LIST_COUNT; i++)
        weir_options_free(lists[i]);
    return status;
}
