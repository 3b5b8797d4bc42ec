/* SPDX-License-Identifier: MIT */
#include "sim/world.h"

#include <errno.h>

#include "base/memory.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"
#include "sim/act.h"
#include "sim/actor.h"
#include "sim/alarms.h"
#include "sim/dice.h"
#include "sim/errand.h"
#include "sim/event.h"
#include "sim/kernel.h"
#include "sim/life.h"
#include "sim/link.h"
#include "sim/listening.h"
#include "sim/model.h"
#include "sim/names.h"
#include "sim/peer.h"
#include "sim/pending.h"
#include "sim/plan.h"
#include "sim/process.h"
#include "sim/program.h"
#include "sim/proxy.h"
#include "sim/reach.h"
#include "sim/rights.h"
#include "sim/slow.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include "sim/udp.h"
#include "sim/udp_model.h"
#include <weir/error.h>

enum { CAPACITY = 64, TURNS_MOST = 200000 };

struct world {
    struct weir_runtime *runtime;
    uint32_t ticks_left;
    uint32_t ticks;
    uint32_t peers_left;
    uint64_t turns;
};

static struct world world;

void world_open(void)
{
    kernel_open(CAPACITY);
    model_open(CAPACITY);
    life_open(CAPACITY);
}

void world_close(void)
{
    life_close();
    model_close();
    kernel_close();
}

static uint32_t one_of(const uint32_t *values, uint32_t count)
{
    return values[dice_below(count)];
}

#define ONE_OF(...)                         \
    one_of((const uint32_t[]){__VA_ARGS__}, \
           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void choose_faults(void)
{
    kernel.faults = (struct faults){
        .short_read = ONE_OF(0, 50, 500),
        .short_write = ONE_OF(0, 50, 500),
        .late = ONE_OF(0, 50, 500),
        .transient = ONE_OF(0, 0, 20, 200),
        .multishot_end = ONE_OF(0, 20, 300),
        .refused_submit = ONE_OF(0, 0, 50, 300),
        .partial_submit = ONE_OF(0, 0, 50, 300),
        .interrupted = ONE_OF(0, 20, 200),
        .late_cancel = ONE_OF(0, 500, 1000),
        .missed_cancel = ONE_OF(0, 0, 300, 900),
        .stale = ONE_OF(0, 500),
        .call = ONE_OF(0, 0, 30),
        .memory = ONE_OF(0, 0, 0, 0, 0, 300),
        .peer_reset = ONE_OF(0, 0, 10, 50),
        .preempted = ONE_OF(0, 100, 500),
        .slow = ONE_OF(0, 0, 10, 200),
    };
    kernel.descriptor_limit = dice_chance(200) ? dice_between(4, 12) : CAPACITY;
}

static void choose_trouble(void)
{
    enum { BEGIN_NS_MOST = 100000000, LENGTH_NS_MOST = 300000000 };
    static const struct trouble kinds[] = {
        {.kind = OP_ACCEPT, .error = EMFILE},  {.kind = OP_ACCEPT, .error = ENOMEM},
        {.kind = OP_RECEIVE, .error = ENOMEM}, {.kind = OP_SEND, .error = ENOMEM},
        {.kind = OP_SEND, .error = ENOBUFS},
    };
    if (!dice_chance(100))
        return;
    kernel.trouble = kinds[dice_below(sizeof(kinds) / sizeof(kinds[0]))];
    kernel.trouble.begin_ns = kernel.now_ns + dice_size(BEGIN_NS_MOST);
    kernel.trouble.end_ns = kernel.trouble.begin_ns + dice_size(LENGTH_NS_MOST);
}

static void choose_style(void)
{
    plan_style = (struct plan_style){
        .packet = (uint8_t)(dice_chance(500) ? ONE_OF(WEIR_RAW, WEIR_1, WEIR_2, WEIR_4, WEIR_LINE)
                                             : dice_below(WEIR_PACKET_TYPE_COUNT)),
        .bytes_most = ONE_OF(50, 500, 5000, 20000),
        .large_per_mille = ONE_OF(0, 0, 0, 100),
        .garbage_per_mille = ONE_OF(0, 0, 50),
    };
    program_style = (struct program_style){
        .echo = ONE_OF(0, 300, 900),
        .act = ONE_OF(0, 50, 400),
        .options = ONE_OF(0, 200, 600),
        .close = ONE_OF(0, 30, 150),
        .type = ONE_OF(0, 0, 100),
        .active = ONE_OF(0, 1),
        .forward = ONE_OF(0, 0, 300),
        .insists = dice_chance(50),
        .look_up = ONE_OF(0, 0, 200, 600),
        .udp = program_style.udp,
        .named = program_style.named,
        .limit = program_style.limit,
        .processes = program_style.processes,
        .calls = program_style.calls,
        .timers = program_style.timers,
        .reach = program_style.reach,
        .idle = program_style.idle,
        .proxied = program_style.proxied,
        .local = program_style.local,
        .descriptors = program_style.descriptors,
        .passes = program_style.passes,
        .own_udp = program_style.own_udp,
        .spawning = program_style.spawning,
        .giving = program_style.giving,
    };
}

/* By dice of its own, so that a run without them is what it was. */
static void choose_newcomers(uint64_t seed)
{
    dice_seed(~seed);
    udp_choose_style();
    program_style.udp = ONE_OF(0, 0, 200, 700);
    program_style.processes = ONE_OF(0, 0, 0, 100, 600);
    program_style.named = ONE_OF(0, 0, 100, 400);
    program_style.limit = ONE_OF(0, 0, 0, 1, 3);
    program_style.calls = program_style.processes ? ONE_OF(0, 300, 800) : 0;
    program_style.timers = ONE_OF(0, 0, 100, 500);
    program_style.reach = ONE_OF(0, 0, 50, 200);
    program_style.idle = ONE_OF(0, 0, 100, 300);
    udp_choose_more();
    program_style.proxied = ONE_OF(0, 0, 0, 400, 900);
    program_style.local = ONE_OF(0, 0, 300, 900);
    program_style.descriptors = program_style.local ? ONE_OF(0, 1, 4, 16) : 0;
    program_style.passes = dice_chance(700);
    program_style.own_udp = ONE_OF(0, 0, 300, 800);
    program_style.spawning = program_style.processes ? ONE_OF(0, 0, 500) : 0;
    program_style.giving = program_style.processes ? ONE_OF(0, 0, 50, 200) : 0;
    dice_seed(seed);
}

/* What is sent from elsewhere is foreseen by the type of the time, and by there being memory. */
static void choose_company(const weir_config *config)
{
    program_style.threads = ONE_OF(0, 1, 2);
    program_style.mailboxes = ONE_OF(0, 2);
    program_style.afar = config->schedulers > 1 ? ONE_OF(0, 300, 800) : 0;
    if (kernel.faults.memory)
        program_style.threads = program_style.mailboxes = program_style.afar = program_style.calls =
            program_style.spawning = program_style.giving = 0;
    if (program_style.threads || program_style.afar || program_style.calls)
        program_style.type = 0;
}

#define INET_TERMS                                                                              \
    "{lookup,[file,dns]}. {resolv_conf,\"\"}. {hosts_file,\"\"}. {domain,\"\"}. clear_search. " \
    "{nameserver,{10,0,0,53}}. {host,{127,0,0,1},[\"host1\"]}. "

const char *world_inet_terms(void)
{
    static const char *const inet_terms[] = {
        INET_TERMS "{timeout,100}. {servfail_retry_timeout,20}. {cache_refresh,1000}.",
        INET_TERMS "{timeout,20}. {retry,2}. {nameserver,{10,0,0,54}}. {cache_size,0}.",
        INET_TERMS "{timeout,50}. {usevc,true}. {cache_size,3}. {cache_refresh,1000}.",
    };
    return inet_terms[dice_below(3)];
}

static void choose_config(weir_config *config)
{
    static const char *const features[] = {
        "", "", "", "multishot_receive", "multishot_accept", "buffer_ring", "kernel=6.1"};
    uint32_t submission_entries = ONE_OF(1, 2, 8, 64);
    uint32_t completion_entries = ONE_OF(2, 4, 16, 256);
    *config = (weir_config){
        .schedulers = ONE_OF(1, 1, 2, 3),
        .buffer_count = ONE_OF(1, 2, 4, 16, 64),
        .buffer_size = ONE_OF(64, 100, 512, 4096, 16384),
        .submission_entries = submission_entries,
        .completion_entries =
            completion_entries > submission_entries ? completion_entries : submission_entries,
        .completion_budget = ONE_OF(1, 2, 8, 256),
        .close_timeout_ms = UINT32_MAX, /* the model holds that what was queued is sent */
        .eager_submit = ONE_OF(1, 4, 64),
        .queued_bytes_limit = ONE_OF(0, 0, 0, 3000),
        .zero_copy_from_bytes = ONE_OF(0, 0, 100, 2000),
        .features_off = features[dice_below(7)],
        .inet_terms = world_inet_terms(),
    };
}

/* Packets that are worth sharing a buffer for. */
static void choose_sizes(const weir_config *config)
{
    program_style.shares = config->buffer_size > 4096 && config->buffer_count > 1;
    if (!program_style.shares)
        return;
    plan_style.bytes_most = 60000;
    plan_style.at_once = ONE_OF(0, 300, 900);
}

static void connect_peer(uint32_t object, uint32_t tag)
{
    (void)object;
    (void)tag;
    uint32_t listener = listening_file();
    if (listener != NO_LINK)
        peer_connect(listener);
    if (world.peers_left-- > 1)
        event_after(dice_size(3000000), connect_peer, 0, 0);
}

/* As another thread would: the scheduler may be asleep. */
static void tick(uint32_t object, uint32_t tag)
{
    (void)object;
    (void)tag;
    if (model_stopping)
        return;
    world.ticks++;
    if (dice_chance(kernel.faults.memory)) {
        model_lenient = true;
        memory_fail_nth(dice_size(30));
    }
    struct scheduler *here = scheduler_current();
    uint32_t number = dice_below(world.runtime->scheduler_count);
    scheduler_become(NULL);
    int result = weir_run_on(world.runtime, number, program_tick, NULL);
    scheduler_become(here);
    SIM_CHECK(result == 0 || model_lenient, "run_on gave %s", weir_error_name(result));
    if (--world.ticks_left > 0)
        event_after(dice_size(2000000), tick, 0, 0);
}

static void fail_to_end(const struct scheduler *scheduler)
{
    for (uint32_t i = 0; i < slot_table_size(&scheduler->slots); i++) {
        const struct slot *slot = slot_table_at(&scheduler->slots, i);
        if (slot->state != SOCKET_FREE)
            trace("slot %lld: state %lld, %lld pending, descriptor %lld", i, slot->state,
                  slot->pending, slot->fd);
    }
    trace("%lld sockets, %lld calls outstanding", scheduler->slots.used_count,
          scheduler->outstanding, 0, 0);
    sim_fail("the run does not end");
}

/* For the next datagrams. */
static uint32_t standing_ready(const struct scheduler *scheduler)
{
    const struct intake *intake = &datagrams_of(scheduler)->buffers;
    uint32_t count = 0;
    for (uint32_t i = 0; i < intake->most; i++)
        count += intake->buffers[i] != NULL;
    return count;
}

/* A scheduler's thread. */
static void be_scheduler(void *data)
{
    struct scheduler *scheduler = data;
    while (!scheduler_is_done(scheduler)) {
        turns_begin(scheduler);
        scheduler_turn(scheduler);
        actor_end_turn();
        if (++world.turns > TURNS_MOST)
            fail_to_end(scheduler);
        if (scheduler->state == SCHEDULER_STOPPING && kernel.now_ns > scheduler->stop_deadline_ns)
            model_lenient = true;
    }
    buffer_pool_collect(scheduler->buffers);
    if (!program_may_hold_packets())
        SIM_CHECK(scheduler->buffers->away == standing_ready(scheduler),
                  "%u buffers were never given back",
                  scheduler->buffers->away - standing_ready(scheduler));
    model_check_totals(&scheduler->totals);
    model_scheduler_over(scheduler);
    scheduler_close(scheduler);
}

static void open_scheduler(struct scheduler *scheduler)
{
    int result = scheduler_open(scheduler);
    SIM_CHECK(result == 0, "no scheduler: %s", weir_last_error_text());
    scheduler_become(NULL);
    actor_add(be_scheduler, scheduler, scheduler);
}

static void begin(uint32_t ticks_most)
{
    weir_config config;
    choose_config(&config);
    choose_company(&config);
    choose_sizes(&config);
    int result = runtime_create(&world.runtime, &config);
    SIM_CHECK(result == 0, "no runtime: %s", weir_last_error_text());
    model_reset(world.runtime);
    for (uint32_t i = 0; i < world.runtime->scheduler_count; i++)
        open_scheduler(world.runtime->schedulers[i]);
    for (uint32_t i = 0; i < world.runtime->scheduler_count; i++)
        registry_publish(world.runtime->schedulers[i]->index, world.runtime->schedulers[i]);
    world.ticks_left = dice_between(1, ONE_OF(5, 40, 200));
    if (world.ticks_left > ticks_most)
        world.ticks_left = ticks_most;
    program_start(world.runtime, ticks_most);
    world.peers_left = dice_between(1, ONE_OF(1, 4, 20));
    event_after(dice_size(1000), connect_peer, 0, 0);
    if (world.ticks_left > 0)
        event_after(dice_size(100000), tick, 0, 0);
}

static void post_stop(struct scheduler *scheduler, struct inbox_node *node)
{
    (void)node;
    scheduler_stop(scheduler);
}

/* As weir_stop: nobody finds a scheduler any more, then each is told. */
static void stop_schedulers(void)
{
    for (uint32_t i = 0; i < world.runtime->scheduler_count; i++)
        registry_withdraw(world.runtime->schedulers[i]->index);
    for (uint32_t i = 0; i < world.runtime->scheduler_count; i++) {
        struct scheduler *scheduler = world.runtime->schedulers[i];
        scheduler->stop.run = post_stop;
        inbox_post(&scheduler->inbox, &scheduler->stop);
        for (uint32_t steps = dice_size(100); steps > 0; steps--)
            actor_step();
    }
}

/* A run's handles are to be those that it would have by itself: some things go by their bits. */
static void begin_handles_anew(void)
{
    enum { SCHEDULERS_MOST = 3 };
    for (uint32_t index = 0; index < SCHEDULERS_MOST; index++)
        registry_release(index, 0, 0);
}

/* Nothing may be left. */
static void end(bool is_surprised)
{
    memory_fail_nth(0);
    model_stopping = true;
    if (!is_surprised)
        program_wind_down(dice_chance(700));
    peer_relent();
    stop_schedulers();
    program_wind_down(dice_chance(700));
    while (actor_live_count() > 0)
        SIM_CHECK(actor_step(), "somebody waits for ever");
    process_check_end();
    reach_check_end();
    program_end();
    shelf_forget_all();
    runtime_free(world.runtime);
    begin_handles_anew();
    model_check_end();
    SIM_CHECK(act_lent_count() == 0, "%u blocks of the program's memory were never given back",
              act_lent_count());
}

void world_run(uint64_t seed, uint32_t ticks_most, struct world_result *result)
{
    int64_t live = memory_live_count();
    world = (struct world){0};
    choose_newcomers(seed);
    process_reset();
    alarms_reset();
    reach_reset();
    proxy_reset();
    rights_reset();
    kernel_reset();
    udp_reset();
    udp_model_reset();
    pending_reset();
    names_reset();
    life_reset();
    slow_reset();
    turns_reset();
    actor_reset();
    choose_faults();
    choose_trouble();
    choose_style();
    begin(ticks_most);
    bool quiet = false;
    bool is_surprised = dice_chance(300);
    uint32_t stops_early = is_surprised && dice_chance(300) ? ONE_OF(50, 500) : 0;
    while (!quiet && (world.ticks_left > 0 || world.turns < 20000) &&
           !(stops_early > 0 && errand_is_posting() && dice_chance(stops_early)))
        quiet = !actor_step();
    if (quiet)
        listening_check_quiet();
    end(is_surprised);
    SIM_CHECK(memory_live_count() == live, "%lld blocks of memory were never freed",
              (long long)(memory_live_count() - live));
    *result = (struct world_result){
        .events = event_count() + kernel.completion_count + world.turns,
        .turns = world.turns,
        .ticks = world.ticks,
    };
}
