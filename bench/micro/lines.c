/* SPDX-License-Identifier: MIT */
/* Lines, beside memchr over the same bytes. */
#include "measures.h"
#include "stream.h"
#include <string.h>

static void fill(struct stream *stream)
{
    size_t size = stream->packet_size;
    for (; stream->size + size <= STREAM_SIZE; stream->size += size) {
        memset(stream->bytes + stream->size, 'x', size - 1);
        stream->bytes[stream->size + size - 1] = '\n';
        stream->packet_count++;
    }
}

static struct stream streams[] = {
    STREAM("line/20", WEIR_LINE, 20),
    STREAM("line/80", WEIR_LINE, 80),
    STREAM("line/400", WEIR_LINE, 400),
    STREAM("line/4000", WEIR_LINE, 4000),
};

static const char *const memchr_names[] = {"line/20/memchr", "line/80/memchr", "line/400/memchr",
                                           "line/4000/memchr"};

void lines_add_measures(void)
{
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        fill(&streams[i]);
        micro_add(streams[i].name, stream_measure, &streams[i]);
        micro_add(memchr_names[i], stream_measure_memchr, &streams[i]);
    }
    micro_add("line/80/memcpy", stream_measure_memcpy, &streams[1]);
}
