/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int place_read(struct place *place, const char *text)
{
    *place = (struct place){.text = text, .is_local = strncmp(text, "unix:", 5) == 0};
    return place->is_local ? weir_local_address_parse(text, &place->local)
                           : weir_address_parse_endpoint(text, &place->address);
}

/* An abstract name has none. */
static bool path_of(const struct place *place, char path[PLACE_TEXT_SIZE])
{
    memcpy(path, place->local.name, place->local.size);
    path[place->local.size] = '\0';
    return path[0] != '\0';
}

static void note_file(struct place *place)
{
    char path[PLACE_TEXT_SIZE];
    struct stat status;
    if (!path_of(place, path) || lstat(path, &status) < 0)
        return;
    place->device = status.st_dev;
    place->inode = status.st_ino;
}

static int serve_local(struct place *place, weir_runtime *runtime, const struct service *service,
                       const weir_option *options)
{
    weir_socket socket;
    int result = service->serve(runtime, place->text, 0, options,
                                weir_handled_by(service->handler, NULL), &socket);
    if (result >= 0)
        note_file(place);
    return result;
}

int place_serve(struct place *place, weir_runtime *runtime, const struct service *service,
                const weir_option *options)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_socket socket;
    if (place->is_local)
        return serve_local(place, runtime, service, options);
    int result =
        service->serve(runtime, weir_address_format(&place->address, text), place->address.port,
                       options, weir_handled_by(service->handler, NULL), &socket);
    return result < 0 ? result : weir_sockname(socket, &place->address);
}

const char *place_format(const struct place *place, char text[PLACE_TEXT_SIZE])
{
    return place->is_local ? weir_local_address_format(&place->local, text)
                           : weir_address_format_endpoint(&place->address, text);
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
