/* SPDX-License-Identifier: MIT */
/* Pieces of a send queue, and the pools that make them cost no allocation. */
#ifndef RUNTIME_SEND_QUEUE_SEGMENT_H
#define RUNTIME_SEND_QUEUE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_buffer;

enum segment_kind {
    SEGMENT_COPY,      /* bytes in the segment's own storage */
    SEGMENT_REFERENCE, /* bytes of a buffer */
    SEGMENT_FILE,      /* bytes of a file that have not been read yet */
};

struct segment {
    struct segment *next;
    const uint8_t *bytes;
    size_t size;
    size_t capacity;            /* of the storage that follows */
    struct weir_buffer *buffer; /* kept until the bytes are sent; NULL: a copy */
    struct weir_buffer *rights; /* descriptors that go with the first byte, kept until it has; or
                                   NULL */
    uint64_t offset;            /* of a file's next byte */
    int fd;
    bool begun;   /* a file: what is before it is a part of it */
    bool patient; /* a file: the kernel is to wait for its bytes */
    enum segment_kind kind;
    bool lent; /* a zero-copy send has had it: the kernel may be reading it still */
    uint8_t storage[];
};

struct send_pools {
    struct segment *small;
    struct segment *large;
    struct segment *references;
    uint32_t small_count;
    uint32_t large_count;
    uint32_t reference_count;
};

struct send_pools *send_pools_open(void);
void send_pools_close(struct send_pools *pools);

/* With storage for at least `size` bytes. NULL: no memory. */
struct segment *segment_take(struct send_pools *pools, size_t size);
/* A reference, which keeps the buffer. NULL: no memory. */
struct segment *segment_refer(struct send_pools *pools, struct weir_buffer *buffer,
                              const uint8_t *bytes, size_t size);
/* A part of a file, whose descriptor lives as long as `owner` is kept. NULL: no memory. */
struct segment *segment_of_file(struct send_pools *pools, struct weir_buffer *owner, int fd,
                                uint64_t offset, size_t size);
/* Its descriptors have gone. */
void segment_drop_rights(struct segment *segment);
/* Gives back the segment and what it refers to. */
void segment_free(struct send_pools *pools, struct segment *segment);

#endif
