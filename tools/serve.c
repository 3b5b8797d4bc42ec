/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include "base/memory.h"
#include "command.h"
#include "figures.h"
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char serve_details[] =
    "SERVICE is one of\n"
    "  echo   each packet goes back in the framing that it came in\n"
    "  http   HTTP/1.1: a greeting, or how many bytes of body came\n"
    "\n"
    "  --listen ADDRESS:PORT          where; \":PORT\" is every address, port 0 picks one\n"
    "  --options TERMS                options of the listener, as in '[{packet,4},binary]'\n"
    "  --default-listen-options TERMS inet_default_listen_options\n"
    "  --schedulers N                 how many; one per core if it is left out\n"
    "  --cpus LIST                    cores to pin them to, as in 0,2-3\n"
    "  --busy-wait US                 microseconds an idle scheduler looks before it sleeps\n"
    "  --buffers COUNTxBYTES          receive buffers of each scheduler, as in 1024x16384\n"
    "  --zero-copy BYTES              sends of this size and more leave the copy out; 0: none\n"
    "  --features-off LIST            kernel features to leave alone; see 'weir doctor'\n"
    "  --drain MS                     how long a stop waits for connections to end (1000)\n"
    "  --idle S                       http: how long a connection may make no progress (60)\n"
    "\n"
    "Prints 'listening on ADDRESS:PORT' when it is ready. SIGTERM and SIGINT end it: no new\n"
    "connections, those that are there get the drain time; a second one ends it at once.\n";

struct plan {
    const struct service *service;
    weir_address address;
    bool has_address;
    const char *options;
    int64_t drain_ms;
    uint32_t idle_s;
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

static int read_buffers(const char *text, weir_config *config)
{
    char count[16];
    size_t size = strcspn(text, "x");
    if (!text[size] || size >= sizeof(count))
        return command_misused("serve", "--buffers: '%s' is not COUNTxBYTES", text);
    memcpy(count, text, size);
    count[size] = '\0';
    int status = read_number("--buffers", count, &config->buffer_count);
    return status ? status : read_number("--buffers", text + size + 1, &config->buffer_size);
}

static int read_drain(const char *text, struct plan *plan)
{
    uint32_t number;
    int status = read_number("--drain", text, &number);
    plan->drain_ms = number;
    return status;
}

static int read_idle(const char *text, struct plan *plan)
{
    if (!plan->service->end_idle)
        return command_misused("serve", "--idle: connections of %s may idle", plan->service->name);
    return read_number("--idle", text, &plan->idle_s);
}

static int read_listen(const char *text, struct plan *plan)
{
    plan->has_address = true;
    if (weir_address_parse_endpoint(text, &plan->address) < 0)
        return command_misused("serve", "--listen: %s", weir_last_error_text());
    return 0;
}

/* 0, or an exit status. */
static int read_option(const char *name, const char *value, struct plan *plan)
{
    weir_config *config = &plan->config;
    if (strcmp(name, "--listen") == 0)
        return read_listen(value, plan);
    if (strcmp(name, "--buffers") == 0)
        return read_buffers(value, config);
    if (strcmp(name, "--drain") == 0)
        return read_drain(value, plan);
    if (strcmp(name, "--idle") == 0)
        return read_idle(value, plan);
    if (strcmp(name, "--schedulers") == 0)
        return read_number(name, value, &config->schedulers);
    if (strcmp(name, "--busy-wait") == 0)
        return read_number(name, value, &config->busy_wait_us);
    if (strcmp(name, "--zero-copy") == 0)
        return read_number(name, value, &config->zero_copy_from_bytes);
    const struct {
        const char *name;
        const char **place;
    } texts[] = {
        {"--options", &plan->options},
        {"--cpus", &config->cpus},
        {"--features-off", &config->features_off},
        {"--default-listen-options", &config->default_listen_options},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].place = value;
            return 0;
        }
    }
    return command_misused("serve", "there is no option '%s'; see 'weir help serve'", name);
}

/* "--name value" or "--name=value", which moves `argument` on. */
static int read_argument(char ***argument, struct plan *plan)
{
    char *name = *(*argument)++;
    char *equals = strchr(name, '=');
    if (equals) {
        *equals = '\0';
        return read_option(name, equals + 1, plan);
    }
    if (!**argument)
        return command_misused("serve", "%s needs a value", name);
    return read_option(name, *(*argument)++, plan);
}

static int read_plan(int argc, char **argv, struct plan *plan)
{
    if (argc < 2)
        return command_misused("serve", "what? There is: %s", service_names());
    plan->service = service_find(argv[1]);
    if (!plan->service)
        return command_misused("serve", "there is no service '%s'; there is: %s", argv[1],
                               service_names());
    for (char **argument = argv + 2; *argument;) {
        int status = read_argument(&argument, plan);
        if (status != 0)
            return status;
    }
    if (!plan->has_address)
        return command_misused("serve", "--listen ADDRESS:PORT is needed");
    return 0;
}

static int failed(const char *what, int error)
{
    const char *text = weir_last_error_text();
    fprintf(stderr, "weir serve: %s: %s\n", what, *text ? text : weir_format_error(error));
    return EXIT_FAILURE;
}

static size_t length_of(const weir_option *options)
{
    size_t length = 0;
    while (options[length].id != WEIR_OPTION_END)
        length++;
    return length;
}

enum { LIST_COUNT = 3 };

/* The service's options, the user's, then what is fixed: the last of duplicates wins. What they
 * point to stays where it was parsed. */
static int join_options(weir_option *const *lists, weir_option **all)
{
    size_t length = 0;
    for (size_t i = 0; i < LIST_COUNT; i++)
        length += length_of(lists[i]);
    *all = memory_allocate_zeroed(length + 1, sizeof(**all));
    if (!*all)
        return -ENOMEM;
    weir_option *end = *all;
    for (size_t i = 0; i < LIST_COUNT; i++) {
        memcpy(end, lists[i], length_of(lists[i]) * sizeof(*end));
        end += length_of(lists[i]);
    }
    return 0;
}

static int start_listening(weir_runtime *runtime, const struct plan *plan,
                           const weir_option *options, weir_socket *listener)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address address;
    int result =
        weir_tcp_serve(runtime, weir_address_format(&plan->address, text), plan->address.port,
                       options, weir_handled_by(plan->service->handler, NULL), listener);
    if (result >= 0)
        result = weir_sockname(*listener, &address);
    if (result < 0)
        return result;
    printf("listening on %s\n", weir_address_format_endpoint(&address, text));
    fflush(stdout);
    return 0;
}

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* Without memory for it, a second later. */
static void end_idle(weir_runtime *runtime, struct plan *plan)
{
    for (uint32_t i = 0; plan->service->end_idle && i < weir_scheduler_count(runtime); i++)
        (void)!weir_run_on(runtime, i, plan->service->end_idle, &plan->idle_s);
}

static void wait_for_signal(const sigset_t *signals, weir_runtime *runtime, struct plan *plan)
{
    const struct timespec second = {.tv_sec = 1};
    struct figures figures;
    bool shows_figures = isatty(STDOUT_FILENO);
    figures_begin(&figures, runtime);
    while (sigtimedwait(signals, NULL, &second) < 0) {
        end_idle(runtime, plan);
        if (shows_figures)
            figures_show(&figures, runtime);
    }
    if (shows_figures)
        putchar('\n');
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

static int serve(weir_runtime *runtime, struct plan *plan, const weir_option *options,
                 const sigset_t *signals)
{
    weir_socket listener;
    int result = start_listening(runtime, plan, options, &listener);
    if (result < 0)
        return failed("--listen", result);
    wait_for_signal(signals, runtime, plan);
    drain(runtime, signals, plan->drain_ms);
    figures_print_totals(runtime);
    return EXIT_SUCCESS;
}

static int start_and_serve(struct plan *plan, const weir_option *options)
{
    weir_runtime *runtime;
    sigset_t signals;
    block_signals(&signals);
    int result = weir_start(&runtime, &plan->config);
    if (result < 0)
        return failed("cannot start", result);
    int status = serve(runtime, plan, options, &signals);
    weir_stop(runtime);
    return status;
}

int serve_run(int argc, char **argv)
{
    struct plan plan = {.drain_ms = 1000, .idle_s = 60, .options = "[]"};
    weir_option *lists[LIST_COUNT] = {NULL};
    weir_option *all = NULL;
    int status = read_plan(argc, argv, &plan);
    if (status != 0)
        return status;
    const char *texts[LIST_COUNT] = {plan.service->options, plan.options, plan.service->fixed};
    int result = 0;
    for (size_t i = 0; i < LIST_COUNT && result >= 0; i++)
        result = weir_options_parse(texts[i], &lists[i]);
    if (result >= 0)
        result = join_options(lists, &all);
    status = result < 0 ? failed("--options", result) : start_and_serve(&plan, all);
    memory_free(all);
    for (size_t i = 0; i < LIST_COUNT; i++)
        weir_options_free(lists[i]);
    return status;
}
