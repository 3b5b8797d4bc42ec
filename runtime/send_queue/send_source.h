/* SPDX-License-Identifier: MIT */
/* What one send sends, and how it gets into a queue: by copy, by reference, or as part of a file.
 */
#ifndef RUNTIME_SEND_QUEUE_SEND_SOURCE_H
#define RUNTIME_SEND_QUEUE_SEND_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct send_queue;
struct send_pools;
struct weir_buffer;

struct send_source {
    const struct iovec *pieces; /* NULL: a file */
    size_t count;
    size_t size;                /* of all pieces, or of the file's part */
    struct weir_buffer *buffer; /* the one piece lies in it, or it holds the file open; or NULL */
    int fd;
    uint64_t offset;
    struct weir_buffer *rights; /* descriptors that go with it, or NULL; then not of a file */
};

/* Appends header and source. 0, or -ENOMEM with nothing appended. */
int send_source_enqueue(const struct send_source *source, struct send_pools *pools,
                        struct send_queue *queue, const uint8_t *header, size_t header_size);

#endif
