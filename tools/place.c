/* SPDX-License-Identifier: MIT */
#include "place.h"

#include "address/address.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char systemd[] = "systemd";

int place_read(struct place *place, const char *text)
{
    *place = (struct place){.is_local = local_address_is_meant(text)};
    int result = place->is_local ? weir_local_address_parse(text, &place->local)
                                 : weir_address_parse_endpoint(text, &place->address);
    snprintf(place->text, sizeof(place->text), "%s", text);
    return result;
}

static struct place *add(struct places *places)
{
    struct place *place = &places->at[places->count];
    if (places->count == PLACE_COUNT_MAX)
        return NULL;
    places->count++;
    *place = (struct place){.is_local = false};
    return place;
}

static int say_too_many(void)
{
    return error_say(-EINVAL, "more than %d addresses", PLACE_COUNT_MAX);
}

/* Of a socket that is bound. */
static int read_bound(struct place *place, int fd)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    char text[PLACE_TEXT_SIZE];
    if (getsockname(fd, (struct sockaddr *)&storage, &size) < 0)
        return error_say(-errno, "descriptor %d: %s", fd, weir_error_text(-errno));
    int result = address_from_sockaddr(&storage, &place->address);
    place->is_local = place->address.family == WEIR_LOCAL;
    if (place->is_local)
        local_address_from_sockaddr(&storage, size, &place->local);
    if (result >= 0)
        snprintf(place->text, sizeof(place->text), "%s %s", systemd, place_format(place, text));
    return result;
}

static struct place *find(struct places *places, const char *text)
{
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->at[i].text, text) == 0)
            return &places->at[i];
    return NULL;
}

/* Each once, though several names may mean it. */
static int add_fd(struct place *place, int fd)
{
    for (int i = 0; i < place->fd_count; i++)
        if (place->fds[i] == fd)
            return 0;
    if (place->fd_count == WEIR_FDS_MAX)
        return error_say(-EINVAL, "%s: more than %d sockets", place->text, WEIR_FDS_MAX);
    place->fds[place->fd_count++] = fd;
    return 0;
}

/* Sockets of one address are one place. */
static int add_bound(struct places *places, int fd)
{
    struct place bound = {.is_local = false};
    int result = read_bound(&bound, fd);
    if (result < 0)
        return result;
    struct place *place = find(places, bound.text);
    if (!place) {
        place = add(places);
        if (!place)
            return say_too_many();
        *place = bound;
    }
    return add_fd(place, fd);
}

static int add_systemd(struct places *places, const char *name)
{
    int fds[WEIR_FDS_MAX];
    int count = weir_systemd_fds(name, fds);
    int result = 0;
    places->systemd = true;
    if (count == 0 && name && weir_systemd_fds(NULL, fds) > 0)
        return error_say(-EINVAL, "systemd has passed no socket of the name '%s'", name);
    for (int i = 0; i < count && result >= 0; i++)
        result = add_bound(places, fds[i]);
    return result;
}

static bool is_of_systemd(const struct place *place)
{
    return strncmp(place->text, systemd, sizeof(systemd) - 1) == 0;
}

bool places_lack_systemd(const struct places *places)
{
    bool lack = places->systemd;
    for (size_t i = 0; i < places->count && lack; i++)
        lack = !is_of_systemd(&places->at[i]);
    return lack;
}

int places_add(struct places *places, const char *text)
{
    size_t prefix = sizeof(systemd) - 1;
    if (strcmp(text, systemd) == 0)
        return add_systemd(places, NULL);
    if (strncmp(text, systemd, prefix) == 0 && text[prefix] == ':')
        return add_systemd(places, text + prefix + 1);
    struct place *place = add(places);
    return place ? place_read(place, text) : say_too_many();
}

bool places_inherit(struct places *places, const char *text, const int *fds, int fd_count)
{
    struct place *place = find(places, text);
    bool is_systemds = strncmp(text, "systemd ", sizeof(systemd)) == 0;
    if (!place && is_systemds && places->systemd && fd_count > 0 && (place = add(places)) &&
        read_bound(place, fds[0]) < 0)
        places->count--, place = NULL;
    if (!place || place->fd_count > 0)
        return false;
    memcpy(place->fds, fds, (size_t)fd_count * sizeof(*fds));
    place->fd_count = fd_count;
    return true;
}

/* An abstract name has none. */
static bool path_of(const struct place *place, char path[PLACE_TEXT_SIZE])
{
    memcpy(path, place->local.name, place->local.size);
    path[place->local.size] = '\0';
    return path[0] != '\0';
}

void place_note_file(struct place *place)
{
    char path[PLACE_TEXT_SIZE];
    struct stat status;
    if (!path_of(place, path) || lstat(path, &status) < 0)
        return;
    place->device = status.st_dev;
    place->inode = status.st_ino;
}

void place_remove_file(const struct place *place)
{
    char path[PLACE_TEXT_SIZE];
    struct stat status;
    if (place->inode == 0 || !path_of(place, path) || lstat(path, &status) < 0)
        return;
    if (status.st_dev == place->device && status.st_ino == place->inode)
        unlink(path);
}

static size_t length_of(const weir_option *options)
{
    size_t length = 0;
    while (options[length].id != WEIR_OPTION_END)
        length++;
    return length;
}

static int open_one_datagram(struct place *place, weir_runtime *runtime, int fd,
                             weir_option *options, weir_owner owner)
{
    options[0] = WEIR_FD(fd);
    int result = weir_udp_open(runtime, 0, options, owner, &place->sockets[place->socket_count]);
    place->socket_count += result >= 0;
    return result;
}

/* UDP sockets that are there: one after the other, each on some scheduler. */
static int open_datagrams(struct place *place, weir_runtime *runtime, const weir_option *options,
                          weir_owner owner)
{
    size_t length = length_of(options) + 1;
    weir_option *with_fd = memory_allocate((length + 1) * sizeof(*with_fd));
    int result = with_fd ? 0 : -ENOMEM;
    if (with_fd)
        memcpy(with_fd + 1, options, length * sizeof(*with_fd));
    for (int i = 0; i < place->fd_count && result >= 0; i++)
        result = open_one_datagram(place, runtime, place->fds[i], with_fd, owner);
    memory_free(with_fd);
    return result;
}

static int serve_inherited(struct place *place, weir_runtime *runtime,
                           const struct service *service, const weir_option *options)
{
    weir_owner owner = weir_handled_by(service->handler, NULL);
    if (service->serve == weir_udp_serve)
        return open_datagrams(place, runtime, options, owner);
    place->socket_count = 1;
    return weir_tcp_serve_fds(runtime, place->fds, (size_t)place->fd_count, options, owner,
                              &place->sockets[0]);
}

static int serve_new(struct place *place, weir_runtime *runtime, const struct service *service,
                     const weir_option *options)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    const char *address =
        place->is_local ? place->text : weir_address_format(&place->address, text);
    place->socket_count = 1;
    return service->serve(runtime, address, place->address.port, options,
                          weir_handled_by(service->handler, NULL), &place->sockets[0]);
}

/* Systemd has made the files of its sockets, and keeps them. */
static int serve(struct place *place, weir_runtime *runtime, const struct service *service,
                 const weir_option *options)
{
    int result = place->fd_count > 0 ? serve_inherited(place, runtime, service, options)
                                     : serve_new(place, runtime, service, options);
    if (result < 0)
        return result;
    if (!place->is_local)
        return weir_sockname(place->sockets[0], &place->address);
    if (!is_of_systemd(place))
        place_note_file(place);
    return 0;
}

int places_serve(struct places *places, weir_runtime *runtime, const struct service *service,
                 const weir_option *options)
{
    int result = 0;
    for (size_t i = 0; i < places->count && result >= 0; i++)
        result = serve(&places->at[i], runtime, service, options);
    return result;
}

static void leave(struct place *place)
{
    for (size_t i = 0; i < place->socket_count; i++)
        if (weir_leave(place->sockets[i]) < 0)
            weir_close(place->sockets[i]); /* a UDP socket has no backlog */
    place->inode = 0;
}

void places_leave(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        leave(&places->at[i]);
}

const char *place_format(const struct place *place, char text[PLACE_TEXT_SIZE])
{
    return place->is_local ? weir_local_address_format(&place->local, text)
                           : weir_address_format_endpoint(&place->address, text);
}
