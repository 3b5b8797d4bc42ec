/* SPDX-License-Identifier: MIT */
#include "load/target.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct scheme {
    const char *prefix;
    enum target_scheme scheme;
    uint16_t port; /* 0: the URL has to name one */
} schemes[] = {
    {"tcp://", TARGET_TCP, 0},
    {"http://", TARGET_HTTP, 80},
    {"udp://", TARGET_UDP, 0},
};

enum {
    SCHEME_COUNT = sizeof(schemes) / sizeof(schemes[0]),
    LOCAL_PATH_BYTES_MAX = 107,
};

static const struct scheme *find_scheme(const char *url)
{
    for (size_t i = 0; i < SCHEME_COUNT; i++)
        if (strncmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
            return &schemes[i];
    return NULL;
}

static int copy(char *to, size_t capacity, const char *from, size_t size)
{
    if (size >= capacity)
        return -EINVAL;
    memcpy(to, from, size);
    to[size] = '\0';
    return 0;
}

static int parse_port(const char *text, struct target *target)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || port == 0 || port > UINT16_MAX)
        return error_say(-EINVAL, "'%s' is no port: 1 to 65535", text);
    target->port = (uint16_t)port;
    return 0;
}

/* "HOST", "HOST:PORT", "[IPV6]:PORT". */
static int parse_authority(const char *url, struct target *target)
{
    const char *text = target->authority;
    const char *begin = text, *end = strchr(text, ':');
    if (*text == '[') {
        begin++;
        end = strchr(text, ']');
        if (!end)
            return error_say(-EINVAL, "'%s': the ']' is missing", url);
    }
    size_t size = end ? (size_t)(end - begin) : strlen(begin);
    const char *rest = begin + size + (*text == '[');
    if (size == 0 || copy(target->host, sizeof(target->host), begin, size) < 0)
        return error_say(-EINVAL, "'%s' has no host", url);
    if (strchr(target->host, '@'))
        return error_say(-EINVAL, "'%s': a user's name is not sent; give it as --header", url);
    if (*rest == ':')
        return parse_port(rest + 1, target);
    if (*rest)
        return error_say(-EINVAL, "'%s': what is '%s' behind the host?", url, rest);
    return target->port ? 0 : error_say(-EINVAL, "'%s' has no port: HOST:PORT", url);
}

static int parse_path(const char *url, const char *path, struct target *target)
{
    size_t size = strcspn(path, "#");
    if (target->scheme != TARGET_HTTP && *path && strcmp(path, "/") != 0)
        return error_say(-EINVAL, "'%s': %s has no path", url,
                         target->scheme == TARGET_UDP ? "udp" : "tcp");
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)path[i] <= ' ' || path[i] == 127)
            return error_say(-EINVAL, "'%s': a blank in a path is written %%20", url);
    if (size == 0)
        return copy(target->path, sizeof(target->path), "/", 1);
    /* "?query" alone belongs to the path "/". */
    target->path[0] = '/';
    size_t skipped = *path == '/';
    if (copy(target->path + 1, sizeof(target->path) - 1, path + skipped, size - skipped) < 0)
        return error_say(-EINVAL, "the path is longer than %d bytes", TARGET_PATH_SIZE - 2);
    return 0;
}

static int parse_local(const char *url, struct target *target)
{
    const char *path = url + strlen("unix:");
    *target = (struct target){.scheme = TARGET_TCP, .is_local = true, .path = "/"};
    if (!*path || strcmp(path, "@") == 0)
        return error_say(-EINVAL, "'%s' has no path: unix:PATH or unix:@NAME", url);
    if (strlen(path) > LOCAL_PATH_BYTES_MAX)
        return error_say(-EINVAL, "'%s': a local path has at most %d bytes", url,
                         LOCAL_PATH_BYTES_MAX);
    return copy(target->host, sizeof(target->host), url, strlen(url));
}

int target_parse(const char *url, struct target *target)
{
    if (strncmp(url, "unix:", 5) == 0)
        return parse_local(url, target);
    const struct scheme *scheme = find_scheme(url);
    if (!scheme && strncmp(url, "https://", 8) == 0)
        return error_say(-EINVAL, "'%s': there is no TLS here; what is there is http://", url);
    if (!scheme)
        return error_say(-EINVAL,
                         "'%s' is no URL: tcp://HOST:PORT, http://HOST[:PORT][/PATH], "
                         "udp://HOST:PORT or unix:PATH",
                         url);
    *target = (struct target){.scheme = scheme->scheme, .port = scheme->port};
    const char *authority = url + strlen(scheme->prefix);
    size_t size = strcspn(authority, "/?#");
    if (copy(target->authority, sizeof(target->authority), authority, size) < 0)
        return error_say(-EINVAL, "the host is longer than %d bytes", TARGET_HOST_SIZE - 1);
    int result = parse_authority(url, target);
    return result < 0 ? result : parse_path(url, authority + size, target);
}
