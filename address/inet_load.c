/* SPDX-License-Identifier: MIT */
/* The inet configuration from a file of terms, a row for each term that there is. */
#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "address/inet_config.h"
#include "address/inet_parameter.h"
#include "address/system_file.h"
#include "address/words.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "term/term.h"

enum { DNS_PORT = 53, PORT_MAX = 65535 };

/* A file that is being applied. */
struct loading {
    struct inet_config *config;
    struct terms terms;
    const char *path;
    int problem; /* the first that is not fatal, and what there is to say of it */
    char text[ERROR_TEXT_SIZE];
};

/* `result` is not fatal: the first such is what the caller hears of. */
static void note(struct loading *loading, int result)
{
    if (loading->problem == 0)
        error_copy_text(loading->text);
    if (loading->problem == 0)
        loading->problem = result;
}

/* Says "what in PATH: reason", the reason being the error text as it is. */
static int say_of_file(const struct loading *loading, const char *what, int result)
{
    char reason[ERROR_TEXT_SIZE];
    error_copy_text(reason);
    return error_say(result, "%s in %s: %s", what, loading->path, reason);
}

static int bad(const struct loading *loading, const struct term *term, const char *expected)
{
    return scan_error(&loading->terms.scanner, term->position, "%s is expected", expected);
}

/* {A,B,C,D} or {A,B,C,D,E,F,G,H}. As in Erlang/OTP, the second number of a link-local address is
 * its scope. */
static bool take_address(const struct term *term, weir_address *address)
{
    bool inet = term->count == 4;
    int64_t most = inet ? UINT8_MAX : UINT16_MAX;
    size_t i = 0;
    if (term->kind != TERM_TUPLE || (!inet && term->count != 8))
        return false;
    *address = (weir_address){.family = inet ? WEIR_INET : WEIR_INET6};
    for (const struct term *number = term->first; number; number = number->next, i++) {
        if (number->kind != TERM_INTEGER || number->number < 0 || number->number > most)
            return false;
        if (inet)
            address->bytes[i] = (uint8_t)number->number;
        else
            bytes_write_be16(address->bytes + 2 * i, (uint32_t)number->number);
    }
    address_take_scope(address);
    return true;
}

static bool is_text(const struct term *term)
{
    return term->kind == TERM_STRING && strlen(term->bytes ? term->bytes : "") == term->length;
}

static const char *text_of(const struct term *term)
{
    return term->bytes ? term->bytes : "";
}

/* A domain that is searched or ours may be "". */
static bool is_domain(const struct term *term)
{
    return is_text(term) && (term->length == 0 || name_is_visible(text_of(term)));
}

static int apply_search(struct loading *loading, const struct term *tuple)
{
    const struct term *list = tuple->first->next;
    struct text_list *search = &loading->config->search;
    if (!term_is_list(list))
        return bad(loading, list, "a list of domains");
    for (const struct term *domain = list->first; domain; domain = domain->next) {
        if (!is_domain(domain))
            return bad(loading, domain, "a domain, a string");
        text_list_remove(search, text_of(domain));
        if (text_list_append(search, text_of(domain)) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int add_server(struct loading *loading, const struct term *tuple, struct server_list *list)
{
    const struct term *ip = tuple->first->next;
    const struct term *port = ip->next;
    weir_address server;
    if (!take_address(ip, &server))
        return bad(loading, ip, "an address, a tuple of 4 or 8 numbers,");
    if (port && (port->kind != TERM_INTEGER || port->number < 0 || port->number > PORT_MAX))
        return bad(loading, port, "a port, 0 to 65535,");
    server.port = port ? (uint16_t)port->number : DNS_PORT;
    if (server_list_add(list, &server) < 0)
        return scan_error(&loading->terms.scanner, tuple->position,
                          "there are %d name servers already", SERVERS_MAX);
    return 0;
}

static int apply_nameserver(struct loading *loading, const struct term *tuple)
{
    return add_server(loading, tuple, &loading->config->nameservers);
}

static int apply_alt_nameserver(struct loading *loading, const struct term *tuple)
{
    return add_server(loading, tuple, &loading->config->alt_nameservers);
}

static int take_names(struct loading *loading, const struct term *list, const char **names)
{
    size_t count = 0;
    for (const struct term *name = list->first; name; name = name->next) {
        if (!is_text(name))
            return bad(loading, name, "a name, a string");
        names[count++] = text_of(name);
    }
    return 0;
}

/* {host,IP,[Name|Aliases]} */
static int apply_host(struct loading *loading, const struct term *tuple)
{
    const struct term *ip = tuple->first->next;
    const struct term *list = ip->next;
    weir_address address;
    if (!take_address(ip, &address))
        return bad(loading, ip, "an address, a tuple of 4 or 8 numbers,");
    if (list->kind != TERM_LIST)
        return bad(loading, list, "a list of one or more names");
    const char **names = memory_allocate(list->count * sizeof(*names));
    if (!names)
        return -ENOMEM;
    int result = take_names(loading, list, names);
    if (result == 0)
        result =
            host_table_add(&loading->config->hosts, HOST_REPLACE, &address, names, list->count);
    memory_free(names);
    return result;
}

/* Names that are unknown are left out, as in the document. */
static int apply_lookup(struct loading *loading, const struct term *tuple)
{
    const struct term *list = tuple->first->next;
    struct lookup_list lookup = {.count = 0};
    if (list->kind != TERM_STRING && list->kind != TERM_LIST)
        return bad(loading, list, "a list of methods");
    for (const struct term *method = list->first; method; method = method->next)
        if ((method->kind == TERM_ATOM || is_text(method)) &&
            lookup_list_add(&lookup, text_of(method)) < 0)
            return bad(loading, method, "a list of fewer methods");
    loading->config->lookup = lookup;
    return 0;
}

static int apply_resolv_conf(struct loading *loading, const char *path)
{
    struct inet_config *config = loading->config;
    char *text = NULL;
    int result = *path ? read_whole_file(path, &text) : 0;
    if (result == -ENOMEM)
        return result;
    if (result < 0)
        note(loading, result);
    char none[] = "";
    config->resolv_conf_given = true;
    result = resolv_conf_apply(text ? text : none, &config->search, &config->nameservers);
    memory_free(text);
    return result;
}

static int apply_path(struct loading *loading, enum inet_text which, const struct term *value)
{
    if (!is_text(value) || (value->length > 0 && text_of(value)[0] != '/'))
        return bad(loading, value, "a path that begins with /, or \"\",");
    int result = inet_config_set_text(loading->config, which, text_of(value));
    if (result < 0 || which != INET_RESOLV_CONF)
        return result;
    return apply_resolv_conf(loading, text_of(value));
}

static int apply_text(struct loading *loading, enum inet_text which, const struct term *value)
{
    switch (inet_text_rows[which].type) {
    case INET_PATH:
        return apply_path(loading, which, value);
    case INET_NAME:
        if (!is_domain(value))
            return bad(loading, value, "a domain, a string");
        break;
    case INET_MODULE:
        if (value->kind != TERM_ATOM)
            return bad(loading, value, "the name of a module");
        break;
    }
    return inet_config_set_text(loading->config, which, text_of(value));
}

static bool take_boolean(const struct term *value, int64_t *number)
{
    *number = term_is_atom(value, "true");
    return *number || term_is_atom(value, "false");
}

static bool take_version(const struct term *value, int64_t *number)
{
    *number = value->kind == TERM_INTEGER ? value->number : EDNS_OFF;
    return *number == 0 || term_is_atom(value, "false");
}

static int apply_number(struct loading *loading, enum inet_number which, const struct term *value)
{
    static const char *const expected[] = {
        [INET_BOOLEAN] = "true or false", [INET_VERSION] = "0 or false"};
    const struct inet_number_row *row = &inet_number_rows[which];
    int64_t number = value->number;
    if (row->type == INET_BOOLEAN ? !take_boolean(value, &number)
                                  : row->type == INET_VERSION && !take_version(value, &number))
        return bad(loading, value, expected[row->type]);
    if (row->type == INET_INTEGER && (value->kind != TERM_INTEGER || number < row->least))
        return scan_error(&loading->terms.scanner, value->position,
                          "an integer of at least %d is expected", (int)row->least);
    /* Whole seconds, as the document has them. */
    if (which == INET_CACHE_REFRESH_MS)
        number = number > INT64_MAX - 999 ? number : (number + 999) / 1000 * 1000;
    loading->config->numbers[which] = number;
    return 0;
}

static int apply_clear_hosts(struct inet_config *config)
{
    host_table_clear(&config->hosts);
    return 0;
}

static int apply_clear_ns(struct inet_config *config)
{
    config->nameservers.count = 0;
    config->alt_nameservers.count = 0;
    return 0;
}

static int apply_clear_search(struct inet_config *config)
{
    text_list_clear(&config->search);
    return 0;
}

/* Nothing is in a cache yet. */
static int apply_clear_cache(struct inet_config *config)
{
    (void)config;
    return 0;
}

static const struct {
    const char *name;
    int (*apply)(struct inet_config *config);
} words[] = {
    {"clear_hosts", apply_clear_hosts},   {"clear_ns", apply_clear_ns},
    {"clear_search", apply_clear_search}, {"clear_cache", apply_clear_cache},
    {"reset", inet_config_reset},
};

/* Tuples that are no single value. */
static const struct {
    const char *name;
    size_t least, most; /* elements, the name included */
    int (*apply)(struct loading *loading, const struct term *tuple);
} tuples[] = {
    {"host", 3, 3, apply_host},
    {"search", 2, 2, apply_search},
    {"nameserver", 2, 3, apply_nameserver},
    {"alt_nameserver", 2, 3, apply_alt_nameserver},
    {"lookup", 2, 2, apply_lookup},
};

static int unknown(const struct loading *loading, const struct term *term)
{
    return bad(loading, term, "a parameter of the inet configuration");
}

static int apply_word(struct loading *loading, const struct term *term)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (term_is_atom(term, words[i].name))
            return words[i].apply(loading->config);
    return unknown(loading, term);
}

/* {timeout,2000}, {domain,"erlang.org"} */
static int apply_value(struct loading *loading, const struct term *tuple)
{
    const struct term *name = tuple->first;
    for (size_t i = 0; i < INET_NUMBER_COUNT; i++)
        if (term_is_atom(name, inet_number_rows[i].name))
            return apply_number(loading, (enum inet_number)i, name->next);
    for (size_t i = 0; i < INET_TEXT_COUNT; i++)
        if (term_is_atom(name, inet_text_rows[i].name))
            return apply_text(loading, (enum inet_text)i, name->next);
    return unknown(loading, tuple);
}

static int apply_tuple(struct loading *loading, const struct term *tuple)
{
    for (size_t i = 0; i < sizeof(tuples) / sizeof(tuples[0]); i++)
        if (tuple->count >= tuples[i].least && tuple->count <= tuples[i].most &&
            term_is_atom(tuple->first, tuples[i].name))
            return tuples[i].apply(loading, tuple);
    return tuple->count == 2 ? apply_value(loading, tuple) : unknown(loading, tuple);
}

static bool is_tuple_of(const struct term *term, const char *name, size_t count)
{
    return term->kind == TERM_TUPLE && term->count == count && term_is_atom(term->first, name);
}

static const struct system_file *file_of(const struct term *tuple)
{
    const struct term *type = tuple->first->next;
    return type->kind == TERM_ATOM ? system_file_find(type->bytes) : NULL;
}

/* Nothing of a file counts that names a type of files which does not exist. */
static int check_files(const struct loading *loading)
{
    for (const struct term *term = loading->terms.first; term; term = term->next)
        if (is_tuple_of(term, "file", 3) && !file_of(term))
            return bad(loading, term->first->next, "a type of system file");
    return 0;
}

static int load_file(struct loading *loading, const struct term *tuple)
{
    const struct term *path = tuple->first->next->next;
    int result = is_text(path)
                     ? system_file_load(file_of(tuple), loading->config, text_of(path))
                     : say_of_file(loading, "syntax error", bad(loading, path, "a path, a string"));
    if (result == -ENOMEM)
        return result;
    if (result < 0)
        note(loading, result);
    return 0;
}

static int apply_files(struct loading *loading)
{
    int result = 0;
    for (const struct term *term = loading->terms.first; result == 0 && term; term = term->next)
        if (is_tuple_of(term, "file", 3))
            result = load_file(loading, term);
    return result;
}

static int apply_others(struct loading *loading)
{
    int result = 0;
    for (const struct term *term = loading->terms.first; result == 0 && term; term = term->next) {
        if (is_tuple_of(term, "file", 3))
            continue;
        result = term->kind == TERM_TUPLE && term->count > 0 ? apply_tuple(loading, term)
                                                             : apply_word(loading, term);
    }
    return result == -EINVAL ? say_of_file(loading, "syntax error", result) : result;
}

static int apply_terms(struct loading *loading)
{
    int result = check_files(loading);
    if (result < 0)
        return say_of_file(loading, "syntax error", result);
    result = apply_files(loading);
    if (result == 0)
        result = apply_others(loading);
    if (result == -EINVAL)
        note(loading, result);
    if (result == -ENOMEM)
        return result;
    error_set_text(loading->text); /* lines that were left out may have said something, too */
    return loading->problem;
}

int inet_config_load_text(struct inet_config *config, const char *path, const char *text)
{
    struct loading loading = {.config = config, .path = path};
    int result = terms_read(&loading.terms, text);
    if (result == 0)
        result = apply_terms(&loading);
    else if (result == -EINVAL)
        result = say_of_file(&loading, "parse error", result);
    terms_free(&loading.terms);
    return result;
}

int inet_config_load(struct inet_config *config, const char *path)
{
    char *text;
    int result = read_whole_file(path, &text);
    if (result < 0)
        return result;
    result = inet_config_load_text(config, path, text);
    memory_free(text);
    return result;
}
