/* SPDX-License-Identifier: MIT */
#include "runtime/stream/output.h"

#include "base/check.h"
#include "base/memory.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

enum { KEPT_MAX = 1024 };

static struct output *used_or_new(struct streams *streams)
{
    struct output *output = streams->outputs;
    if (!output)
        return memory_allocate(sizeof(*output));
    streams->outputs = output->next_free;
    streams->output_count--;
    return output;
}

struct output *output_open(struct streams *streams, struct stream *stream)
{
    struct output *output = used_or_new(streams);
    if (!output)
        return NULL;
    *output = (struct output){.stream = stream};
    list_init(&output->offered);
    list_init(&output->crossed);
    list_init(&output->suspended);
    list_init(&output->drained);
    list_init(&output->limit_link);
    list_init(&output->linger_link);
    list_init(&output->rest_link);
    return output;
}

/* Drops what is queued. Nobody may wait and nothing be in flight. */
static void close_output(struct streams *streams, struct output *output)
{
    CHECK(list_is_empty(&output->offered) && list_is_empty(&output->crossed) &&
          list_is_empty(&output->suspended) && list_is_empty(&output->drained));
    send_queue_close(streams->pools, &output->queue);
    task_remove(&output->flush);
    task_remove(&output->offer);
    list_remove(&output->limit_link);
    list_remove(&output->linger_link);
    list_remove(&output->rest_link);
    if (streams->output_count == KEPT_MAX) {
        memory_free(output);
        return;
    }
    output->next_free = streams->outputs;
    streams->outputs = output;
    streams->output_count++;
}

bool output_is_idle(const struct output *output)
{
    return output->queue.queued_bytes == 0 && output->queue.notices == 0 && !output->refused &&
           list_is_empty(&output->offered) && list_is_empty(&output->crossed) &&
           list_is_empty(&output->suspended);
}

static bool has_queue(const struct stream *stream)
{
    return (stream_is_live(stream) || stream->slot.state == SOCKET_CLOSED) && stream->output;
}

size_t output_queued_bytes(const struct stream *stream)
{
    return has_queue(stream) ? stream->output->queue.queued_bytes : 0;
}

uint32_t output_notices(const struct stream *stream)
{
    return has_queue(stream) ? stream->output->queue.notices : 0;
}

void output_free(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->output)
        close_output(streams_of(scheduler), stream->output);
    stream->output = NULL;
}

void output_free_if_idle(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->output && output_is_idle(stream->output))
        output_free(scheduler, stream);
}

void output_free_all(struct streams *streams)
{
    while (streams->outputs) {
        struct output *next = streams->outputs->next_free;
        memory_free(streams->outputs);
        streams->outputs = next;
    }
}
