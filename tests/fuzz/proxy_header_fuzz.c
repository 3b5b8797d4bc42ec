/* SPDX-License-Identifier: MIT */
/* Headers of strangers who claim to be proxies: where one ends does not depend on what follows, and
 * what has begun as one is not whole before its end. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "address/proxy_header.h"
#include "base/check.h"
#include "base/memory.h"

/* In memory of its own, so that what lies behind it is seen to be read. */
static int read_first(struct proxy_header *header, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = memory_allocate(size + 1);
    CHECK(copy);
    uint8_t *exact = copy + 1; /* nothing behind it */
    memcpy(exact, bytes, size);
    int result = proxy_header_read(header, exact, size);
    CHECK(result == -EPROTO || (result >= 0 && (size_t)result <= size));
    CHECK(result != 0 || size <= proxy_header_most(exact, size));
    memory_free(copy);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct proxy_header header;
    struct proxy_header again;
    int whole = read_first(&header, bytes, size);
    size_t cut = whole > 0 ? (size_t)whole : 0;
    if (whole <= 0)
        return 0;
    CHECK_EQ(read_first(&again, bytes, cut), whole);
    CHECK_EQ(memcmp(&header, &again, sizeof(header)), 0);
    for (size_t step = cut > 512 ? cut / 64 : 1; cut > step;) {
        cut -= step;
        CHECK_EQ(read_first(&again, bytes, cut), 0);
    }
    return 0;
}
