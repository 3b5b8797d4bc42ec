/* SPDX-License-Identifier: MIT */
#include "sim/listening.h"

#include <errno.h>

#include "runtime/scheduler/scheduler.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/local.h"
#include "sim/options.h"
#include "sim/process.h"
#include "sim/program.h"
#include "sim/trace.h"
#include <weir/error.h>

enum { LISTENER_MOST = 3, KERNEL_LISTENERS_MOST = 8, CLOSED_MOST = 64 };

static weir_runtime *the_runtime;
static struct listening all[LISTENER_MOST];
static uint16_t closed_ports[CLOSED_MOST];
static uint32_t closed_count;

void listening_reset(weir_runtime *runtime)
{
    the_runtime = runtime;
    for (uint32_t i = 0; i < LISTENER_MOST; i++)
        all[i] = (struct listening){0};
    closed_count = 0;
}

struct listening *listening_some(void)
{
    return &all[dice_below(LISTENER_MOST)];
}

static bool is_alone(void)
{
    return weir_scheduler_count(the_runtime) == 1;
}

static uint16_t port_of(weir_socket handle)
{
    const struct slot *socket = model_live(handle);
    return socket ? kernel_file(socket->fd)->port : 0;
}

static bool listens_on(const struct file *file, uint16_t port)
{
    return file->kind == FILE_LISTENER && file->port == port;
}

/* Its peers are proxies, and say so first. */
static void expect_proxies(weir_socket handle)
{
    uint16_t port = port_of(handle);
    for (uint32_t i = 0; i < kernel.capacity && port != 0; i++)
        kernel.files[i].proxied |= listens_on(&kernel.files[i], port);
}

struct place {
    const char *text;
    bool reuses;  /* what a socket has left there */
    int expected; /* of binding */
};

static struct place some_place(void)
{
    static const char *const paths[] = {"unix:/run/a", "unix:/run/b", "unix:@a", "unix:@b",
                                        "unix:/missing/a"};
    struct place place = {.text = "127.0.0.1"};
    if (!dice_chance(program_style.local))
        return place;
    place.text = paths[dice_below(5)];
    place.reuses = dice_chance(600);
    place.expected = local_foresee_bind(place.text, place.reuses);
    return place;
}

/* Others bind as well while a call waits. */
static void check_place(const struct place *place, int result)
{
    bool is_known = !act_may_wait() && kernel.faults.call == 0 && result != -EDEADLK;
    if (!is_known)
        return;
    SIM_CHECK(result < 0 || place->expected == 0, "%s is bound, and was to give %s", place->text,
              weir_error_name(place->expected));
    SIM_CHECK((result != -EADDRINUSE && result != -ENOENT) || result == place->expected,
              "%s gives %s, and was to give %d", place->text, weir_error_name(result),
              place->expected);
}

/* A service waits for all schedulers. */
static void open_at(struct listening *listening)
{
    weir_socket handle = {0};
    uint32_t owner = act_some_owner();
    const weir_option *options = options_some();
    bool may_serve = is_alone() || act_may_wait();
    bool proxied = dice_chance(program_style.proxied);
    listening->serves = dice_chance(700) && (may_serve || dice_chance(100));
    listening->busy = true;
    options = options_of_listener(proxied);
    const struct place place = some_place();
    if (place.reuses)
        options = options_with(WEIR_REUSEADDR(true));
    bool spawns = listening->serves && dice_chance(program_style.spawning);
    weir_owner who = spawns ? process_spawning() : act_owner(owner);
    int result = listening->serves
                     ? weir_tcp_serve(the_runtime, place.text, 0, options, who, &handle)
                     : weir_tcp_listen(the_runtime, place.text, 0, options, &handle);
    trace("listen: %lld, local %lld", result, place.text[0] == 'u', 0, 0);
    check_place(&place, result);
    SIM_CHECK(may_serve || !listening->serves || result == -EDEADLK, "serve on a scheduler gave %s",
              weir_error_name(result));
    if (proxied)
        expect_proxies(handle);
    listening->busy = false;
    listening->handle = handle;
}

void listening_open_some(void)
{
    struct listening *listening = listening_some();
    if (listening->handle.id == 0 && !listening->busy)
        open_at(listening);
}

void listening_close(struct listening *listening)
{
    weir_socket handle = listening->handle;
    uint16_t port = port_of(handle);
    if (port != 0 && closed_count < CLOSED_MOST)
        closed_ports[closed_count++] = port;
    listening->handle = (weir_socket){0};
    int result = weir_close(handle);
    SIM_CHECK(result == 0 || (result == -ENOMEM && model_lenient), "close gave %s",
              weir_error_name(result));
    trace("a listener is closed", 0, 0, 0, 0);
}

void listening_set(const struct listening *listening)
{
    weir_socket handle = listening->handle;
    int result = weir_setopts(handle, WEIR_OPTIONS(WEIR_ACTIVE(options_some_active())));
    bool is_own = model_home(handle) == scheduler_current();
    bool waits = !act_may_wait() && (!is_own || !is_alone());
    bool may_be_dead = act_may_wait() || model_stopping || !model_live(handle);
    SIM_CHECK(result == 0 || model_lenient || (waits && result == -EDEADLK) ||
                  (may_be_dead && result == -EINVAL),
              "a listener's setopts gave %s", weir_error_name(result));
}

/* One of those that listen on a port: connections are spread over them. */
static uint32_t file_of_port(uint16_t port)
{
    uint32_t found[KERNEL_LISTENERS_MOST];
    uint32_t count = 0;
    for (uint32_t i = 0; i < kernel.capacity && count < KERNEL_LISTENERS_MOST; i++)
        if (listens_on(&kernel.files[i], port))
            found[count++] = i;
    return count > 0 ? found[dice_below(count)] : NO_LINK;
}

uint32_t listening_file(void)
{
    const struct listening *listening = listening_some();
    const struct slot *socket = model_live(listening->handle);
    return socket ? file_of_port(kernel_file(socket->fd)->port) : NO_LINK;
}

void listening_check_quiet(void)
{
    for (uint32_t i = 0; i < closed_count && !model_lenient; i++)
        SIM_CHECK(file_of_port(closed_ports[i]) == NO_LINK,
                  "somebody still listens on port %u, which was closed", closed_ports[i]);
}
