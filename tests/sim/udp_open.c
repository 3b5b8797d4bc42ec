/* SPDX-License-Identifier: MIT */
/* The program opens UDP sockets, and finds one of them to do something with. */
#include <string.h>

#include "runtime/scheduler/scheduler.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/post.h"
#include "sim/program.h"
#include "sim/trace.h"
#include "sim/udp.h"
#include "sim/udp_act.h"
#include "sim/udp_told.h"

static const weir_option *open_options(void)
{
    static weir_option options[6];
    static const int32_t modes[] = {WEIR_ACTIVE_TRUE, WEIR_ACTIVE_ONCE, WEIR_ACTIVE_FALSE, 3, 0};
    options[0] = WEIR_ACTIVE(modes[program_style.active ? dice_below(5) : 0]);
    options[1] = WEIR_MODE(dice_chance(500) ? WEIR_BINARY : WEIR_LIST);
    options[2] = WEIR_BUFFER(dice_chance(300) ? dice_size(200) : dice_size(9000));
    options[3] = WEIR_READ_PACKETS(dice_size(20));
    options[4] = options[5] = (weir_option){.id = WEIR_OPTION_END};
    if (dice_chance(udp_style.runs))
        options[4] = WEIR_UDP_GRO(true);
    return options;
}

/* Without a name, with one that the kernel chooses, or a path, which may be there. */
static const weir_option *local_options(void)
{
    static weir_option options[7];
    static const char *const paths[] = {"/run/a", "/run/c", "/run/d"};
    const char *path = paths[dice_below(3)];
    memcpy(options, open_options(), 4 * sizeof(options[0]));
    options[4] = dice_chance(400) ? WEIR_LOCAL() : WEIR_IP_LOCAL(path, strlen(path));
    options[5] = WEIR_REUSEADDR(dice_chance(500));
    options[6] = (weir_option){.id = WEIR_OPTION_END};
    return options;
}

/* Those that it has opened are closed, whatever they have told meanwhile. */
static void serve_failed(uint32_t owner)
{
    for (uint32_t i = 0; i < UDP_MOST; i++)
        if (udps[i].used && udp_views[i].handle.id != 0 && udp_views[i].owner == owner)
            post_may_forget_closed(udp_views[i].handle);
}

static void open_one(weir_runtime *runtime)
{
    weir_socket handle = {0};
    uint32_t owner = act_some_owner();
    bool may_serve = act_may_wait() || weir_scheduler_count(runtime) == 1;
    bool local = dice_chance(program_style.local);
    bool serves = may_serve && !local && dice_chance(300);
    const weir_option *options = local ? local_options() : open_options();
    post_begin_service();
    int result = serves
                     ? weir_udp_serve(runtime, "127.0.0.1", 0, options, udp_owner(owner), &handle)
                     : weir_udp_open(runtime, 0, options, udp_owner(owner), &handle);
    post_end_service(serves ? result : 0);
    trace("udp open, serves %lld: %lld", serves, result, 0, 0);
    if (result == 0)
        (void)udp_model_find(handle, owner);
    else if (serves)
        serve_failed(owner);
}

static struct udp_view *some_view(void)
{
    bool own = !act_may_wait() && !dice_chance(program_style.afar);
    for (int tries = 0; tries < 8; tries++) {
        uint32_t index = dice_below(8);
        struct udp_view *view = &udp_views[index];
        if (udps[index].used && view->handle.id != 0 && udp_act_is_own(view) == own)
            return view;
    }
    return NULL;
}

void udp_act(weir_runtime *runtime)
{
    enum { OPEN_MOST = 6 };
    struct udp_view *view = some_view();
    if (!udps[OPEN_MOST - 1].used && (!view || dice_chance(200)))
        open_one(runtime);
    else if (view)
        udp_act_at_random(view);
}
