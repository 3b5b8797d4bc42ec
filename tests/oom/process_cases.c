/* SPDX-License-Identifier: MIT */
/* Processes, begun, told and watched by threads. */
#include <errno.h>
#include <stdatomic.h>
#include <weir/weir.h>

#include "cases.h"

static int wait_for_a_message(void *data)
{
    weir_message message;
    (void)data;
    return weir_receive(WEIR_INFINITY, &message);
}

/* What was begun is ended, whatever failed: a kill needs memory as well, and is tried again. */
static void end(weir_process process)
{
    while (weir_kill(process) == -ENOMEM)
        continue;
}

static int await_end(weir_mailbox *mailbox, int result)
{
    weir_message message;
    if (result == 0 &&
        (weir_mailbox_receive(mailbox, 10000, &message) < 0 || message.kind != WEIR_MESSAGE_DOWN))
        oom_fail("the end of a process is not told");
    return result;
}

static int watch(weir_process process, weir_mailbox *mailbox)
{
    int result = weir_monitor(process, mailbox, NULL);
    int posted = weir_post(process, NULL);
    end(process);
    result = await_end(mailbox, result);
    return result < 0 ? result : posted;
}

/* A spawn that has failed has left nothing; one that has not is seen to its end. */
int oom_spawn(weir_runtime *runtime)
{
    const weir_process_options options = {.stack_bytes = 128 << 10}; /* of which none is kept */
    weir_mailbox *mailbox;
    weir_process process;
    int result = weir_mailbox_create(&mailbox);
    if (result < 0)
        return result;
    result = weir_spawn(runtime, 0, wait_for_a_message, NULL, &options, &process);
    if (result == 0)
        result = watch(process, mailbox);
    weir_mailbox_destroy(mailbox);
    return result;
}

static int return_at_once(void *data)
{
    (void)data;
    return 0;
}

/* What a scheduler has for processes is made with the first. */
int oom_first_process(weir_runtime *runtime)
{
    const weir_config config = {
        .schedulers = 1, .buffer_count = 4, .submission_entries = 16, .completion_entries = 32};
    weir_runtime *another;
    (void)runtime;
    int result = weir_start(&another, &config);
    if (result < 0)
        return result;
    result = weir_spawn(another, 0, return_at_once, NULL, NULL, NULL);
    weir_stop(another);
    return result;
}

struct client {
    weir_runtime *runtime;
    weir_socket listener;
    atomic_int result;
};

enum { NOT_OVER = 1 };

/* A listener, a connection to it from itself, bytes there and back. */
static int talk(struct client *client)
{
    weir_socket ours;
    weir_socket theirs;
    weir_packet packet;
    const weir_option *passive = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE));
    int result = weir_tcp_listen(client->runtime, "127.0.0.1", 0, passive, &client->listener);
    if (result == 0)
        result =
            weir_tcp_connect(client->runtime, "127.0.0.1", (uint16_t)weir_port(client->listener),
                             passive, weir_owned_by_self(), 10000, &ours);
    if (result == 0)
        result = weir_tcp_accept(client->listener, weir_owned_by_self(), 10000, &theirs);
    if (result == 0)
        result = weir_send(ours, "x", 1);
    if (result == 0)
        result = weir_recv(theirs, 1, 10000, &packet);
    if (result == 0)
        weir_packet_release(&packet);
    return result;
}

static int talk_and_tell(void *data)
{
    return talk(data);
}

static void note_end(weir_process process, int reason, void *data)
{
    struct client *client = data;
    (void)process;
    atomic_store(&client->result, reason);
}

int oom_process_talks(weir_runtime *runtime)
{
    struct client client = {.runtime = runtime, .result = NOT_OVER};
    const weir_process_options options = {.ended = note_end};
    int result = weir_spawn(runtime, 0, talk_and_tell, &client, &options, NULL);
    if (result < 0)
        return result;
    while (atomic_load(&client.result) == NOT_OVER)
        (void)!weir_sleep(1);
    return atomic_load(&client.result);
}
