/* SPDX-License-Identifier: MIT */
#include "address/inet_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address/inet_parameter.h"
#include "base/memory.h"

/* The first name is the one that is shown. */
static const struct {
    const char *name;
    enum lookup_method method;
} method_names[] = {
    {"native", LOOKUP_NATIVE}, {"file", LOOKUP_FILE}, {"files", LOOKUP_FILE},
    {"hosts", LOOKUP_FILE},    {"dns", LOOKUP_DNS},   {"bind", LOOKUP_DNS},
    {"yp", LOOKUP_YP},         {"nis", LOOKUP_NIS},   {"nisplus", LOOKUP_NISPLUS},
};

enum { METHOD_NAME_COUNT = sizeof(method_names) / sizeof(method_names[0]) };

int lookup_list_add(struct lookup_list *list, const char *name)
{
    for (size_t i = 0; i < METHOD_NAME_COUNT; i++) {
        if (strcmp(method_names[i].name, name) != 0)
            continue;
        if (list->count == LOOKUPS_MAX)
            return -ENOSPC;
        list->methods[list->count++] = (uint8_t)method_names[i].method;
    }
    return 0;
}

const char *lookup_method_name(enum lookup_method method)
{
    size_t i = 0;
    while (method_names[i].method != method)
        i++;
    return method_names[i].name;
}

int server_list_add(struct server_list *list, const weir_address *server)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!weir_address_equal(&list->servers[i], server))
            list->servers[kept++] = list->servers[i];
    list->count = kept;
    if (kept == SERVERS_MAX)
        return -ENOSPC;
    list->servers[list->count++] = *server;
    return 0;
}

int inet_config_set_text(struct inet_config *config, enum inet_text which, const char *text)
{
    char *copy = memory_copy_text(text);
    if (!copy)
        return -ENOMEM;
    memory_free(config->texts[which]);
    config->texts[which] = copy;
    return 0;
}

static int set_initial_text(struct inet_config *config, enum inet_text which)
{
    char path[4096];
    const char *text = inet_text_initial(which, path, sizeof(path));
    return inet_config_set_text(config, which, text);
}

int inet_config_reset(struct inet_config *config)
{
    static const enum inet_text texts[] = {INET_DOMAIN, INET_UDP, INET_SCTP, INET_TCP};
    for (size_t i = 0; i < INET_NUMBER_COUNT; i++)
        config->numbers[i] = inet_number_rows[i].initial;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (set_initial_text(config, texts[i]) < 0)
            return -ENOMEM;
    text_list_clear(&config->search);
    config->nameservers.count = 0;
    config->alt_nameservers.count = 0;
    config->lookup.count = 0;
    return 0;
}

/* "host.domain": both come from the kernel, and a domain is searched. */
static int set_host_name(struct inet_config *config)
{
    char full[NAME_TEXT_SIZE] = "";
    if (gethostname(full, sizeof(full) - 1) < 0 || !full[0])
        snprintf(full, sizeof(full), "nohost.nodomain");
    size_t length = strcspn(full, ".");
    const char *domain = full[length] ? full + length + 1 : "";
    snprintf(config->host_name, sizeof(config->host_name), "%.*s", (int)length, full);
    snprintf(config->host_domain, sizeof(config->host_domain), "%s", domain);
    if (!*domain)
        return 0;
    if (inet_config_set_text(config, INET_DOMAIN, domain) < 0)
        return -ENOMEM;
    return text_list_append(&config->search, domain);
}

static int fill(struct inet_config *config)
{
    if (inet_config_reset(config) < 0 || set_host_name(config) < 0 ||
        set_initial_text(config, INET_RESOLV_CONF) < 0 ||
        set_initial_text(config, INET_HOSTS_FILE) < 0)
        return -ENOMEM;
    return lookup_list_add(&config->lookup, "native");
}

int inet_config_create(struct inet_config **out)
{
    struct inet_config *config = memory_allocate_zeroed(1, sizeof(*config));
    if (!config)
        return -ENOMEM;
    atomic_init(&config->user_count, 1);
    if (fill(config) < 0) {
        inet_config_free(config);
        return -ENOMEM;
    }
    *out = config;
    return 0;
}

struct inet_config *inet_config_keep(struct inet_config *config)
{
    atomic_fetch_add_explicit(&config->user_count, 1, memory_order_relaxed);
    return config;
}

void inet_config_free(struct inet_config *config)
{
    if (!config || atomic_fetch_sub_explicit(&config->user_count, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < INET_TEXT_COUNT; i++)
        memory_free(config->texts[i]);
    text_list_clear(&config->search);
    host_table_clear(&config->hosts);
    memory_free(config);
}
