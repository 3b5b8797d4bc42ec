/* SPDX-License-Identifier: MIT */
#include "sim/errand.h"

#include <stddef.h>
#include <string.h>

#include "base/list.h"
#include "runtime/datagram/send.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/send.h"
#include "sim/actor.h"
#include "sim/event.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/post.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include "sim/udp.h"
#include "sim/udp_model.h"
#include <weir/error.h>

enum { ERRAND_MOST = 256 };

static struct errand all[ERRAND_MOST];
static bool taken[ERRAND_MOST];
static struct errand *next[ACTOR_MOST]; /* each actor's */
static uint32_t posting_count;

void errand_reset(void)
{
    for (uint32_t i = 0; i < ERRAND_MOST; i++)
        taken[i] = false;
    for (uint32_t i = 0; i < ACTOR_MOST; i++)
        next[i] = NULL;
    posting_count = 0;
}

void errand_give_back(const struct errand *errand)
{
    if (errand >= all && errand < all + ERRAND_MOST)
        taken[errand - all] = false;
}

/* What it is for is alive still, and the same. */
static struct conn *conn_of(const struct errand *errand)
{
    const struct link *link = &links[errand->link];
    struct conn *conn = model_conn(errand->link);
    bool same = link->used && link->serial == errand->link_serial &&
                weir_same_socket(conn->handle, errand->handle);
    return same && model_live(errand->handle) ? conn : NULL;
}

static struct udp_view *view_of(const struct errand *errand)
{
    const struct udp *udp = &udps[errand->link];
    bool same = udp->used && udp->serial == errand->link_serial;
    return same && model_live(errand->handle) ? &udp_views[errand->link] : NULL;
}

static void tell(struct errand *errand)
{
    if (errand->udp_note)
        errand->udp_note(errand, view_of(errand));
    else
        errand->note(errand, conn_of(errand));
    errand_give_back(errand);
}

static void run_note(struct scheduler *scheduler, struct inbox_node *node)
{
    struct errand *errand = list_entry(node, struct errand, node);
    (void)scheduler;
    if (errand->pending) /* the call itself is the next that was posted */
        errand->pending->call = list_entry(node->next, struct call, node);
    tell(errand);
}

static void begin(struct errand *errand)
{
    SIM_CHECK(!next[actor_current()], "an errand within another");
    errand->node.run = run_note;
    errand->is_here = scheduler_current() && model_home(errand->handle) == scheduler_current();
    next[actor_current()] = errand;
}

void errand_begin(struct errand *errand, struct conn *conn, errand_note *note)
{
    errand->note = note;
    errand->udp_note = NULL;
    errand->link = model_link(conn);
    errand->link_serial = links[errand->link].serial;
    errand->handle = conn->handle;
    begin(errand);
}

void errand_begin_udp(struct errand *errand, struct udp_view *view, errand_udp_note *note)
{
    errand->udp_note = note;
    errand->link = udp_model_index(view);
    errand->link_serial = udps[errand->link].serial;
    errand->handle = view->handle;
    begin(errand);
}

struct errand *errand_take(void)
{
    uint32_t index = 0;
    while (index < ERRAND_MOST && taken[index])
        index++;
    if (index == ERRAND_MOST)
        return NULL;
    taken[index] = true;
    all[index] = (struct errand){0};
    return &all[index];
}

bool errand_end(void)
{
    struct errand *errand = next[actor_current()];
    next[actor_current()] = NULL;
    if (errand)
        errand_give_back(errand);
    return !errand;
}

/* Whoever it is for has been found, and may be told to stop meanwhile. */
static void hold_up(void)
{
    posting_count++;
    actor_pause();
    posting_count--;
}

bool errand_is_posting(void)
{
    return posting_count > 0;
}

/* Nobody comes between this and the call, which is none where it need not wait. */
static void tell_here(struct call *call)
{
    struct errand *errand = next[actor_current()];
    if (!errand || !errand->is_here)
        return;
    next[actor_current()] = NULL;
    if (errand->pending)
        errand->pending->call = call;
    tell(errand);
}

int __real_call_make(const struct call_operation *operation, weir_socket socket, struct call *call);
int __wrap_call_make(const struct call_operation *operation, weir_socket socket, struct call *call);

/* Who gives a socket to a process asks for its mailbox first, which is nothing of the socket's. */
static int ask_first(const struct call_operation *operation, weir_socket socket, struct call *call)
{
    struct errand *errand = next[actor_current()];
    next[actor_current()] = NULL;
    int result = __real_call_make(operation, socket, call);
    next[actor_current()] = errand;
    return result;
}

int __wrap_call_make(const struct call_operation *operation, weir_socket socket, struct call *call)
{
    if (strcmp(operation->name, "weir_give") == 0)
        return ask_first(operation, socket, call);
    tell_here(call);
    int result = __real_call_make(operation, socket, call);
    struct pending *pending = result == WEIR_KILLED ? pending_of(call) : NULL;
    if (pending && pending->kind == PENDING_UDP_SEND)
        udp_model_left(pending, call);
    return result;
}

int __real_letter_send_now(struct scheduler *scheduler, struct datagram *socket,
                           const struct letter *letter);
int __wrap_letter_send_now(struct scheduler *scheduler, struct datagram *socket,
                           const struct letter *letter);

int __wrap_letter_send_now(struct scheduler *scheduler, struct datagram *socket,
                           const struct letter *letter)
{
    tell_here(NULL);
    return __real_letter_send_now(scheduler, socket, letter);
}

int __real_send_now(struct scheduler *scheduler, struct stream *stream,
                    const struct send_source *source);
int __wrap_send_now(struct scheduler *scheduler, struct stream *stream,
                    const struct send_source *source);

int __wrap_send_now(struct scheduler *scheduler, struct stream *stream,
                    const struct send_source *source)
{
    tell_here(NULL);
    return __real_send_now(scheduler, stream, source);
}

int __real_set_options(struct scheduler *scheduler, struct slot *slot, const weir_option *options);
int __wrap_set_options(struct scheduler *scheduler, struct slot *slot, const weir_option *options);

int __wrap_set_options(struct scheduler *scheduler, struct slot *slot, const weir_option *options)
{
    tell_here(NULL);
    return __real_set_options(scheduler, slot, options);
}

void __real_inbox_post(struct inbox *inbox, struct inbox_node *node);
void __wrap_inbox_post(struct inbox *inbox, struct inbox_node *node);

void __wrap_inbox_post(struct inbox *inbox, struct inbox_node *node)
{
    struct errand *errand = next[actor_current()];
    turns_progress();
    if (!event_is_running() && !post_is_taking())
        hold_up();
    if (errand) {
        next[actor_current()] = NULL;
        __real_inbox_post(inbox, &errand->node);
    }
    __real_inbox_post(inbox, node);
}
