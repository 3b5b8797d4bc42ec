/* SPDX-License-Identifier: MIT */
#include "sim/local.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "sim/dice.h"
#include "sim/link.h"
#include "sim/peer.h"
#include "sim/trace.h"

enum { NAME_MOST = 32, SHARED_MOST = 8 };

struct name {
    char bytes[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    uint8_t size;
    bool used;
};

static struct name names[NAME_MOST];
static uint32_t autobound_count;

/* "unix:" before each. */
static const char *const servers[PORT_COUNT] = {
    [PORT_ACCEPTS] = "unix:/run/sim",         [PORT_REFUSES] = "unix:/run/stale",
    [PORT_UNREACHABLE] = "unix:/run/missing", [PORT_SILENT] = "unix:@full",
    [PORT_TIMES_OUT] = "unix:/run/full",
};

enum { PREFIX_SIZE = sizeof("unix:") - 1 };

void local_reset(void)
{
    for (uint32_t i = 0; i < NAME_MOST; i++)
        names[i].used = false;
    autobound_count = 0;
}

static struct name name_of(const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_un local = {0};
    struct name name = {.used = true};
    SIM_CHECK(size >= offsetof(struct sockaddr_un, sun_path) && size <= sizeof(local),
              "a local address of %u bytes", size);
    memcpy(&local, address, size);
    SIM_CHECK(local.sun_family == AF_UNIX, "a local address of family %d", local.sun_family);
    name.size = (uint8_t)(size - offsetof(struct sockaddr_un, sun_path));
    if (name.size > 0 && local.sun_path[0])
        name.size = (uint8_t)strnlen(local.sun_path, name.size);
    memcpy(name.bytes, local.sun_path, name.size);
    return name;
}

static bool is_path(const struct name *name)
{
    return name->bytes[0] != '\0';
}

static bool is_same(const struct name *one, const struct name *other)
{
    return one->size == other->size && memcmp(one->bytes, other->bytes, one->size) == 0;
}

typedef bool file_kind_of(const struct file *file);

static bool is_any(const struct file *file)
{
    return file->kind != FILE_FREE;
}

/* What was accepted has its listener's name, and is not found by it. */
static bool is_bound(const struct file *file)
{
    return is_any(file) && (file->kind != FILE_STREAM || links[file->link].outgoing);
}

static bool is_listener(const struct file *file)
{
    return file->kind == FILE_LISTENER;
}

static bool has_some(uint32_t index, file_kind_of *is)
{
    for (uint32_t i = 0; i < kernel.capacity; i++)
        if (kernel.files[i].name == index + 1 && is(&kernel.files[i]))
            return true;
    return false;
}

/* Abstract ones that nobody has any more are not there. */
static struct name *find(const struct name *name)
{
    for (uint32_t i = 0; i < NAME_MOST; i++) {
        if (names[i].used && !is_path(&names[i]) && !has_some(i, is_bound))
            names[i].used = false;
        if (names[i].used && is_same(&names[i], name))
            return &names[i];
    }
    return NULL;
}

static struct name some_name(void)
{
    struct name name = {.used = true};
    name.size = (uint8_t)(1 + snprintf(name.bytes + 1, 6, "%05x", ++autobound_count));
    return name;
}

static int take(struct file *file, const struct name *name)
{
    uint32_t index = 0;
    while (index < NAME_MOST && (names[index].used || has_some(index, is_any)))
        index++;
    if (index == NAME_MOST)
        return -ENOSPC;
    names[index] = *name;
    file->name = (uint16_t)(index + 1);
    file->port = kernel.next_port++;
    return 0;
}

static bool is_missing(const struct name *name)
{
    return strncmp(name->bytes, "/missing/", 9) == 0;
}

int local_bind_file(struct file *file, const struct sockaddr *address, socklen_t size)
{
    struct name name = name_of(address, size);
    if (name.size == 0)
        name = some_name();
    if (is_missing(&name))
        return -ENOENT;
    return find(&name) ? -EADDRINUSE : take(file, &name);
}

int local_foresee_bind(const char *text, bool reuses)
{
    struct name name = {.size = (uint8_t)strlen(text + PREFIX_SIZE)};
    memcpy(name.bytes, text + PREFIX_SIZE, name.size);
    if (name.bytes[0] == '@')
        name.bytes[0] = '\0';
    const struct name *found = find(&name);
    if (is_missing(&name))
        return -ENOENT;
    bool is_stale = found && is_path(found) && !has_some((uint32_t)(found - names), is_listener);
    return !found || (reuses && is_stale) ? 0 : -EADDRINUSE;
}

int local_remove_stale(const struct sockaddr *address, socklen_t size)
{
    const struct name name = name_of(address, size);
    struct name *found = find(&name);
    if (!found || has_some((uint32_t)(found - names), is_listener))
        return -EADDRINUSE;
    found->used = false;
    return 0;
}

static void put(const struct name *name, struct sockaddr *address, socklen_t *size)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    size_t whole = offsetof(struct sockaddr_un, sun_path) + name->size;
    memcpy(local.sun_path, name->bytes, name->size);
    whole += name->size > 0 && is_path(name);
    memcpy(address, &local, *size < whole ? *size : whole);
    *size = (socklen_t)whole;
}

void local_put_name(const struct file *file, struct sockaddr *address, socklen_t *size)
{
    put(file->name ? &names[file->name - 1] : &(struct name){0}, address, size);
}

static struct name server_name(void)
{
    const char *path = servers[PORT_ACCEPTS] + PREFIX_SIZE;
    struct name name = {.size = (uint8_t)strlen(path)};
    memcpy(name.bytes, path, name.size);
    return name;
}

/* A client has no name, a path, or an abstract one. */
static struct name client_name(uint32_t link)
{
    struct name name = {0};
    if (link % 3 > 0)
        name.size = (uint8_t)snprintf(name.bytes, sizeof(name.bytes), "/client/%u", link);
    if (link % 3 == 2)
        name.bytes[0] = '\0';
    return name;
}

void local_put_peer(const struct file *file, struct sockaddr *address, socklen_t *size)
{
    struct name name = links[file->link].outgoing ? server_name() : client_name(file->link);
    put(&name, address, size);
}

uint16_t local_port_of(const struct sockaddr *address)
{
    struct sockaddr_un local;
    memcpy(&local, address, sizeof(local));
    if (local.sun_path[0] == '\0')
        local.sun_path[0] = '@';
    for (uint16_t port = PORT_ACCEPTS; port < PORT_COUNT; port++)
        if (strcmp(local.sun_path, servers[port] + PREFIX_SIZE) == 0)
            return port;
    sim_fail("a connect to a path that was not given");
}

const char *local_server(uint16_t port)
{
    return servers[port];
}

/* Listeners. */

static bool shares(const struct file *file, const struct file *listener)
{
    return file->kind == FILE_LISTENER && file->local && file->port == listener->port;
}

void local_share(struct file *file, const struct file *listener)
{
    file->kind = FILE_LISTENER;
    file->local = true;
    file->name = listener->name;
    file->port = listener->port;
    file->proxied = listener->proxied;
    file->never_waits = listener->never_waits;
}

struct file *local_backlog(const struct file *listener)
{
    for (uint32_t i = 0; listener->local && i < kernel.capacity; i++)
        if (shares(&kernel.files[i], listener))
            return &kernel.files[i];
    return (struct file *)listener;
}

uint32_t local_waiter(const struct file *listener)
{
    uint32_t found[SHARED_MOST];
    uint32_t count = 0;
    for (uint32_t i = 0; listener->local && i < kernel.capacity && count < SHARED_MOST; i++)
        if (shares(&kernel.files[i], listener) &&
            kernel.files[i].ops[PLACE_OTHER].kind == OP_ACCEPT)
            found[count++] = i;
    return count > 0 ? found[dice_below(count)] : (uint32_t)(listener - kernel.files);
}

void local_set_waiting(const struct file *listener, bool waits)
{
    for (uint32_t i = 0; i < kernel.capacity; i++)
        if (shares(&kernel.files[i], listener))
            kernel.files[i].never_waits = !waits;
}

bool local_leave_backlog(struct file *listener)
{
    struct file left = *listener;
    listener->kind = FILE_SOCKET; /* it is none of them */
    struct file *next = local_backlog(&left);
    if (!left.local || !shares(next, &left))
        return false;
    if (left.link != NO_LINK) {
        next->link = left.link;
        next->last = left.last;
        next->waiting = left.waiting;
    }
    listener->link = NO_LINK;
    return true;
}

struct ucred local_credentials(uint32_t link)
{
    return (struct ucred){.pid = (pid_t)(7000 + link), .uid = 1000, .gid = link};
}
