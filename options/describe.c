/* SPDX-License-Identifier: MIT */
#include "options/describe.h"

#include "options/word.h"

#include <inttypes.h>
#include <stdio.h>

static const char *copy(char text[DESCRIPTION_SIZE], const char *from)
{
    snprintf(text, DESCRIPTION_SIZE, "%s", from);
    return text;
}

/* What the values of a type look like; %s is the row's range. Types of words alone have none. */
static const char *const shapes[OPTION_TYPE_COUNT] = {
    [OPTION_INTEGER] = "%s",
    [OPTION_FLAG] = "a word without a value",
    [OPTION_ADDRESS] = "{A,B,C,D}, {A,B,C,D,E,F,G,H}, {local,Path}, any, loopback",
    [OPTION_INTERFACE] = "{A,B,C,D} of inet, an index of inet6",
    [OPTION_MEMBERSHIP] = "{Group, Interface}",
    [OPTION_LINGER] = "{false or true, %s}",
    [OPTION_NAME] = "a binary of up to 15 bytes",
    [OPTION_PATH] = "a string",
    [OPTION_RAW] = "Level, Number, a binary",
};

static void describe_range(const struct option_row *row, char *text, size_t size)
{
    bool floored = row->keeper == OPTION_KEEPER_WEIR && row->type == OPTION_INTEGER &&
                   row->least < row->floor && !(row->traits & OPTION_RETURNED);
    text[0] = '\0';
    if (floored)
        snprintf(text, size, "%" PRId64 "..%" PRId64 ", below %" PRId64 " stored as %" PRId64,
                 row->least, row->most, row->floor, row->floor);
    else if (row->most > row->least)
        snprintf(text, size, "%" PRId64 "..%" PRId64, row->least, row->most);
}

const char *describe_value(const struct option_row *row, char text[DESCRIPTION_SIZE])
{
    char range[96];
    char words[WORD_LIST_SIZE];
    describe_range(row, range, sizeof(range));
    if (shapes[row->type])
        snprintf(text, DESCRIPTION_SIZE, shapes[row->type], range);
    else
        snprintf(text, DESCRIPTION_SIZE, "%s%s%s", word_list((enum option_type)row->type, words),
                 range[0] ? ", " : "", range);
    return text;
}

static void describe_number(const struct option_row *row, int64_t number, char *text, size_t size)
{
    const char *word = word_of((enum option_type)row->type, number);
    if (word)
        snprintf(text, size, "%s", word);
    else
        snprintf(text, size, "%" PRId64, number);
}

/* Defaults of types that are no numbers: their zero. */
static const char *const zeros[OPTION_TYPE_COUNT] = {
    [OPTION_INTERFACE] = "{0,0,0,0} or 0",
    [OPTION_LINGER] = "{false,0}",
    [OPTION_NAME] = "<<>>",
};

const char *describe_initial(const struct option_row *row, char text[DESCRIPTION_SIZE])
{
    char tcp[32];
    char udp[32];
    if (row->initial[0] == OPTION_NONE)
        return copy(text, "-");
    if (row->initial[0] == OPTION_SYSTEM)
        return copy(text, "the kernel's");
    if (zeros[row->type])
        return copy(text, zeros[row->type]);
    describe_number(row, row->initial[0], tcp, sizeof(tcp));
    describe_number(row, row->initial[1], udp, sizeof(udp));
    if (row->initial[0] == row->initial[1])
        return copy(text, tcp);
    snprintf(text, DESCRIPTION_SIZE, "%s, udp %s", tcp, udp);
    return text;
}

static const char *setopts_of(unsigned scopes)
{
    static const char *const names[] = {"", "setopts of tcp", "setopts of udp", "setopts"};
    return names[!!(scopes & OPTION_SET_TCP) + 2 * !!(scopes & OPTION_SET_UDP)];
}

const char *describe_calls(const struct option_row *row, char text[DESCRIPTION_SIZE])
{
    const char *const calls[] = {
        row->scopes & OPTION_LISTEN ? "listen" : "",
        row->scopes & OPTION_CONNECT ? "connect" : "",
        row->scopes & OPTION_UDP ? "open" : "",
        setopts_of(row->scopes),
    };
    int used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i][0])
            used += snprintf(text + used, DESCRIPTION_SIZE - (size_t)used, "%s%s", used ? ", " : "",
                             calls[i]);
    return text;
}

const char *describe_reading(const struct option_row *row, char text[DESCRIPTION_SIZE])
{
    if (!(row->scopes & OPTION_SCOPES_SET) || (row->traits & OPTION_WRITE_ONLY))
        return copy(text, "getopts gives einval");
    if (row->keeper == OPTION_KEEPER_KERNEL)
        return copy(text, "getopts gives what the kernel has; nothing once the descriptor is gone");
    return copy(text, "getopts gives what weir has");
}

const char *describe_keeper(const struct option_row *row, char text[DESCRIPTION_SIZE])
{
    if (row->keeper == OPTION_KEEPER_WEIR)
        return copy(text, "weir");
    if (row->keeper == OPTION_KEEPER_CREATION)
        return copy(text, "nobody: it shapes the call that creates the socket");
    snprintf(text, DESCRIPTION_SIZE, "the kernel: %s", row->kernel_name);
    return text;
}

const char *describe_accept(const struct option_row *row, char text[DESCRIPTION_SIZE])
{
    static const char *const ways[] = {
        [OPTION_ACCEPT_NONE] = "an accepted socket has nothing of it",
        [OPTION_SHARED] = "an accepted socket has its listener's, as it is at accept",
        [OPTION_INHERITED] = ("an accepted socket has its listener's, as it was when the "
                              "connection came to be"),
        [OPTION_COPIED] = "an accepted socket has its listener's, as it is at accept",
    };
    return copy(text, ways[row->accept]);
}

static const char fd_failure[] = "the call gives badarg for what is no socket of its kind or of "
                                 "another family, ebadf for what is not open";
static const char active_failure[] =
    "connect, accept: badarg without an owner, unless it is false; setopts: "
    "einval without one, and for a sum above 32767; the list ends there";

/* What the calls that make a socket do with what shapes only them. */
static const char *const creation_failures[WEIR_OPTION_COUNT] = {
    [WEIR_OPTION_FD] = fd_failure,
    [WEIR_OPTION_IFADDR] = "the call gives what binding gives, such as eaddrnotavail",
    [WEIR_OPTION_IP] = "the call gives what binding gives, such as eaddrnotavail",
    [WEIR_OPTION_MAX_CONNECTIONS] = "none",
    [WEIR_OPTION_NETNS] = "the call gives einval for no namespace, else what opening gives",
    [WEIR_OPTION_PORT] = "the call gives what binding gives, such as eaddrinuse or eacces",
    [WEIR_OPTION_PROXY_PROTOCOL] = "none",
    [WEIR_OPTION_PROXY_TIMEOUT] = "none",
    [WEIR_OPTION_ACTIVE] = active_failure,
};

static const char *const failure_texts[] = {
    [FAILURE_NONE] = "none",
    [FAILURE_PASSED_OVER] = "passed over if the kernel refuses it",
    [FAILURE_BADARG] = "badarg below 1",
    [FAILURE_EINVAL] = "einval below 1, and the list ends there",
    [FAILURE_KERNEL] = "what the kernel refuses it with",
    [FAILURE_KERNEL_EINVAL] = "einval if the kernel refuses it, and the list ends there",
};

enum failure failure_of(const struct option_row *row, enum option_scope scope)
{
    bool creates = !(scope & OPTION_SCOPES_SET);
    if (row->keeper == OPTION_KEEPER_KERNEL && !(row->traits & OPTION_RETURNED))
        return FAILURE_PASSED_OVER;
    if (!(row->traits & OPTION_RETURNED))
        return FAILURE_NONE;
    if (row->keeper == OPTION_KEEPER_WEIR)
        return creates ? FAILURE_BADARG : FAILURE_EINVAL;
    return creates ? FAILURE_KERNEL : FAILURE_KERNEL_EINVAL;
}

static const struct {
    const char *name;
    enum option_scope scope;
} calls[] = {
    {"listen", OPTION_LISTEN},
    {"connect", OPTION_CONNECT},
    {"open", OPTION_UDP},
    {"setopts", (enum option_scope)OPTION_SCOPES_SET},
};

enum { CALL_COUNT = sizeof(calls) / sizeof(calls[0]) };

/* The first call from this one on that takes the option. */
static size_t next_call(const struct option_row *row, size_t i)
{
    while (i < CALL_COUNT && !(row->scopes & calls[i].scope))
        i++;
    return i;
}

/* The calls that follow each other and fail alike are named together. */
const char *describe_failure(const struct option_row *row, char text[DESCRIPTION_SIZE])
{
    const char *own = creation_failures[row - option_rows];
    size_t used = 0;
    size_t next;
    if (own)
        return copy(text, own);
    for (size_t i = next_call(row, 0); i < CALL_COUNT; i = next) {
        enum failure failure = failure_of(row, calls[i].scope);
        next = next_call(row, i + 1);
        if (next < CALL_COUNT && failure == failure_of(row, calls[next].scope))
            used += (size_t)snprintf(text + used, DESCRIPTION_SIZE - used, "%s, ", calls[i].name);
        else
            used +=
                (size_t)snprintf(text + used, DESCRIPTION_SIZE - used, "%s: %s%s", calls[i].name,
                                 failure_texts[failure], next < CALL_COUNT ? "; " : "");
    }
    return text;
}

const char *describe_source(const struct option_row *row, char text[DESCRIPTION_SIZE])
{
    return copy(text, row->traits & OPTION_EXTENSION ? "an extension" : "the document");
}
