/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/parcel.h"

#include <netinet/udp.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/socket/rights.h"

enum { SPARE_PARCELS_MOST = 1024, SPARE_CRATES_MOST = 4 };

void parcels_open(struct parcels *parcels)
{
    list_init(&parcels->spare);
}

void parcels_shut(struct parcels *parcels)
{
    struct list *node;
    while ((node = list_take(&parcels->spare)))
        memory_free(list_entry(node, struct parcel, link));
    while (parcels->spare_crates) {
        struct crate *crate = parcels->spare_crates;
        parcels->spare_crates = crate->next;
        memory_free(crate);
    }
    memory_free(parcels->crate);
}

static struct crate *take_crate(struct parcels *parcels)
{
    struct crate *crate = parcels->spare_crates;
    if (crate) {
        parcels->spare_crates = crate->next;
        parcels->spare_crate_count--;
    } else {
        crate = memory_allocate(sizeof(*crate));
    }
    if (crate) {
        crate->used = 0;
        crate->parcel_count = 0;
    }
    return crate;
}

static void drop_crate(struct parcels *parcels, struct crate *crate)
{
    CHECK_GT(crate->parcel_count, 0u);
    if (--crate->parcel_count > 0)
        return;
    crate->used = 0;
    if (crate == parcels->crate)
        return;
    if (parcels->spare_crate_count == SPARE_CRATES_MOST) {
        memory_free(crate);
        return;
    }
    crate->next = parcels->spare_crates;
    parcels->spare_crates = crate;
    parcels->spare_crate_count++;
}

/* The one that is being filled, if it has room; it is whose parcels lie in it otherwise. */
static struct crate *crate_for(struct parcels *parcels, size_t size)
{
    struct crate *crate = parcels->crate;
    if (crate && CRATE_BYTES - crate->used >= size)
        return crate;
    struct crate *next = take_crate(parcels);
    if (next)
        parcels->crate = next;
    return next;
}

static struct parcel *take_spare(struct parcels *parcels)
{
    struct list *node = list_take(&parcels->spare);
    if (!node)
        return memory_allocate(sizeof(struct parcel));
    parcels->spare_count--;
    return list_entry(node, struct parcel, link);
}

static struct parcel *place(struct parcel *parcel, struct crate *crate, uint8_t *bytes, size_t size)
{
    crate->parcel_count++;
    parcel->crate = crate;
    parcel->bytes = bytes;
    parcel->size = (uint32_t)size;
    parcel->datagram_size = (uint32_t)size;
    parcel->count = 1;
    parcel->rights = NULL;
    parcel->call = NULL;
    parcel->address_size = 0;
    return parcel;
}

struct parcel *parcel_take(struct parcels *parcels, size_t size)
{
    struct crate *crate = crate_for(parcels, size);
    struct parcel *parcel = crate ? take_spare(parcels) : NULL;
    if (!parcel)
        return NULL;
    uint8_t *bytes = crate->bytes + crate->used;
    crate->used += (uint32_t)size;
    return place(parcel, crate, bytes, size);
}

void parcel_free(struct parcels *parcels, struct parcel *parcel)
{
    drop_crate(parcels, parcel->crate);
    if (parcel->rights)
        buffer_release(parcel->rights);
    if (parcels->spare_count == SPARE_PARCELS_MOST) {
        memory_free(parcel);
        return;
    }
    parcels->spare_count++;
    list_prepend(&parcels->spare, &parcel->link); /* it is in the core's cache */
}

/* Only what lies last in its crate can have something put behind it. */
uint8_t *parcel_room(const struct parcel *parcel, size_t size)
{
    const struct crate *crate = parcel->crate;
    uint8_t *end = parcel->bytes + parcel->size;
    bool whole = parcel->size == parcel->count * parcel->datagram_size;
    bool fits = size > 0 && size <= parcel->datagram_size &&
                parcel->size + size <= RUN_BYTES_MOST && CRATE_BYTES - crate->used >= size;
    bool last = end == crate->bytes + crate->used;
    return whole && fits && last && !parcel->call && parcel->count < RUN_DATAGRAMS_MOST ? end
                                                                                        : NULL;
}

void parcel_grow(struct parcel *parcel, size_t size)
{
    parcel->size += (uint32_t)size;
    parcel->crate->used += (uint32_t)size;
    parcel->count++;
}

struct parcel *parcel_split(struct parcels *parcels, struct parcel *run)
{
    struct parcel *first = take_spare(parcels);
    if (!first)
        return NULL;
    (void)place(first, run->crate, run->bytes, run->datagram_size);
    first->address = run->address;
    first->address_size = run->address_size;
    run->bytes += run->datagram_size;
    run->size -= run->datagram_size;
    run->count--;
    if (run->count == 1)
        run->datagram_size = run->size;
    return first;
}

static void ask_for_segments(struct parcel *parcel, struct msghdr *message)
{
    uint16_t segment = (uint16_t)parcel->datagram_size;
    message->msg_control = parcel->control;
    message->msg_controllen = sizeof(parcel->control);
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(segment));
    memcpy(CMSG_DATA(control), &segment, sizeof(segment));
}

void parcel_address(struct parcel *parcel, struct msghdr *message)
{
    parcel->piece = (struct iovec){parcel->bytes, parcel->size};
    *message = (struct msghdr){
        .msg_name = parcel->address_size ? &parcel->address : NULL,
        .msg_namelen = parcel->address_size,
        .msg_iov = &parcel->piece,
        .msg_iovlen = 1,
    };
    if (parcel->count > 1)
        ask_for_segments(parcel, message);
    rights_attach(parcel->rights, message);
}
