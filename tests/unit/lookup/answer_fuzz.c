/* SPDX-License-Identifier: MIT */
/* Any bytes are an answer or refused, as the look-up calls it; what is found is sound. */
#include "base/check.h"
#include "base/memory.h"
#include "lookup/answer.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <weir/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_hostent(const weir_hostent *hostent)
{
    CHECK_GT(hostent->address_count, 0u);
    CHECK_GT(strlen(hostent->h_name) + 1, 0u);
    CHECK_EQ(hostent->h_length, hostent->h_addrtype == WEIR_INET ? 4u : 16u);
    for (size_t i = 0; i < hostent->address_count; i++)
        CHECK_EQ(hostent->h_addr_list[i].family, hostent->h_addrtype);
    for (size_t i = 0; i < hostent->alias_count; i++)
        CHECK_GT(strlen(hostent->h_aliases[i]) + 1, 0u);
    CHECK(!hostent->h_aliases[hostent->alias_count]);
}

static void find(const struct answer *answer, const char *name, ns_type type)
{
    static const weir_address address = {.family = WEIR_INET6};
    weir_hostent *hostent = NULL;
    uint32_t ttl_s;
    int result = answer_find(answer, name, type, &address, &hostent, &ttl_s);
    CHECK(result == 0 || result == WEIR_NXDOMAIN || result == -EBADMSG);
    if (result == 0)
        check_hostent(hostent);
    weir_hostent_free(hostent);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct answer answer;
    int64_t live = memory_live_count();
    uint8_t *copy = memory_allocate(size + 1); /* of its own: a byte beyond it is found */
    memcpy(copy, bytes, size);
    if (answer_read(&answer, copy, size) == 0) {
        find(&answer, "www.example.com", ns_t_a);
        find(&answer, "a", ns_t_aaaa);
        find(&answer, "1.0.0.127.in-addr.arpa", ns_t_ptr);
    }
    memory_free(copy);
    CHECK_EQ(memory_live_count(), live);
    return 0;
}
