/* SPDX-License-Identifier: MIT */
#include "lookup/questions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address/name.h"

/* What is longer is cut, and still no name that DNS can carry. */
enum { QUESTION_SIZE = 2 * NAME_TEXT_SIZE };

static int add(struct lookup *lookup, const char *question)
{
    return name_fits_dns(question) ? text_list_append(&lookup->questions, question) : 0;
}

static int add_in_domain(struct lookup *lookup, const char *domain)
{
    char question[QUESTION_SIZE];
    if (!*domain || strcmp(domain, ".") == 0)
        return add(lookup, lookup->name);
    snprintf(question, sizeof(question), "%s.%s", lookup->name, domain);
    return add(lookup, question);
}

/* Without domains to search, in this machine's own. */
static int add_search(struct lookup *lookup, const struct lookup_ground *ground)
{
    int result = 0;
    if (ground->search->count == 0)
        return add_in_domain(lookup, ground->config->texts[INET_DOMAIN]);
    for (size_t i = 0; result == 0 && i < ground->search->count; i++)
        result = add_in_domain(lookup, ground->search->texts[i]);
    return result;
}

static int list_of_name(struct lookup *lookup, const struct lookup_ground *ground)
{
    char question[QUESTION_SIZE];
    bool absolute = name_ends_in_dot(lookup->name);
    size_t length = strlen(lookup->name) - absolute;
    int result = 0;
    if (absolute || name_has_inner_dot(lookup->name)) {
        snprintf(question, sizeof(question), "%.*s", (int)length, lookup->name);
        result = add(lookup, question);
        lookup->with_alternatives = lookup->questions.count;
    }
    return result < 0 || absolute ? result : add_search(lookup, ground);
}

/* As in Erlang/OTP, an IPv4 address that is mapped is asked for as what it is. */
static bool is_mapped(const weir_address *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return address->family == WEIR_INET6 && memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
}

static int list_of_address(struct lookup *lookup)
{
    char question[QUESTION_SIZE];
    const weir_address *address = &lookup->address;
    const uint8_t *bytes = address->bytes + (is_mapped(address) ? 12 : 0);
    size_t length = 0;
    lookup->with_alternatives = 1;
    if (address->family == WEIR_INET || is_mapped(address)) {
        snprintf(question, sizeof(question), "%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2],
                 bytes[1], bytes[0]);
        return add(lookup, question);
    }
    for (int i = 15; i >= 0; i--)
        length += (size_t)snprintf(question + length, sizeof(question) - length, "%x.%x.",
                                   bytes[i] & 15, bytes[i] >> 4);
    snprintf(question + length, sizeof(question) - length, "ip6.arpa");
    return add(lookup, question);
}

int questions_list(struct lookup *lookup, const struct lookup_ground *ground)
{
    text_list_clear(&lookup->questions);
    return lookup->kind == LOOKUP_NAME ? list_of_name(lookup, ground) : list_of_address(lookup);
}
