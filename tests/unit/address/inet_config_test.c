/* SPDX-License-Identifier: MIT */
#include "address/inet_rc.h"
#include "base/error.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char said[ERROR_TEXT_SIZE];

/* This machine's name, NULL: the kernel does not tell it. In the place of the C library's. */
static const char *own_name = "me.example.com";

int gethostname(char *name, size_t size)
{
    if (!own_name)
        return -1;
    snprintf(name, size, "%s", own_name);
    return 0;
}

static void write_parameters(FILE *to, const struct inet_config *config)
{
    weir_parameter *parameters;
    size_t count;
    cr_assert_eq(inet_rc_list(config, &parameters, &count), 0);
    for (size_t i = 0; i < count; i++)
        fprintf(to, "%s%s=%s", i ? " " : "", parameters[i].name, parameters[i].value);
    weir_parameters_free(parameters);
}

/* What differs from the defaults after this text, without this machine's domain; `said` has what
 * was wrong with it. */
static const char *rc_of(const char *text)
{
    static char answer[4096];
    struct inet_config *config;
    int64_t live = memory_live_count();
    cr_assert_eq(inet_config_create(&config), 0);
    cr_assert_eq(inet_config_set_text(config, INET_DOMAIN, ""), 0);
    text_list_clear(&config->search);
    error_clear_text();
    int result = inet_config_load_text(config, "rc", text);
    snprintf(said, sizeof(said), "%s", weir_last_error_text());
    cr_expect_eq(result == 0, said[0] == '\0', "%s", said);
    FILE *to = fmemopen(answer, sizeof(answer), "w");
    write_parameters(to, config);
    fputc('\0', to);
    fclose(to);
    inet_config_free(config);
    cr_expect_eq(memory_live_count(), live);
    return answer;
}

static void expect(const char *text, const char *rc, const char *problem)
{
    cr_expect_str_eq(rc_of(text), rc, "%s gave %s", text, rc_of(text));
    cr_expect_str_eq(said, problem, "%s said %s", text, said);
}

Test(inet_config, defaults_are_not_listed)
{
    expect("", "", "");
    expect("{lookup,[native]}. {timeout,2000}. {retry,3}. {inet6,false}. {edns,false}.", "", "");
}

Test(inet_config, the_documents_order)
{
    expect(
        "{lookup,[file,dns]}. {cache_refresh,1500}. {cache_size,5}. {tcp,my_tcp}. "
        "{hosts_file,\"\"}. "
        "{resolv_conf,\"\"}. {udp_payload_size,512}. {edns,0}. {usevc,true}. {inet6,true}. "
        "{servfail_retry_timeout,0}. {retry,1}. {timeout,1}. {alt_nameserver,{1,2,3,4},99}. "
        "{search,[\"x\"]}. {nameserver,{0,0,0,0,0,0,0,1}}. {domain,\"d\"}. "
        "{host,{127,0,0,1},[\"a\",\"b\"]}.",
        "host={127,0,0,1},[\"a\",\"b\"] domain=\"d\" nameservers={0,0,0,0,0,0,0,1} search=[\"x\"] "
        "alt_nameservers={1,2,3,4},99 timeout=1 retry=1 servfail_retry_timeout=0 inet6=true "
        "usevc=true edns=0 udp_payload_size=512 resolv_conf=\"\" hosts_file=\"\" tcp='my_tcp' "
        "cache_size=5 cache_refresh=2000 lookup=[file,dns]",
        "");
}

Test(inet_config, what_is_added_again_moves_to_the_end)
{
    expect("{nameserver,{1,1,1,1}}. {nameserver,{2,2,2,2}}. {nameserver,{1,1,1,1}}."
           " {search,[\"a\",\"b\"]}. {search,[\"a\"]}.",
           "nameservers={2,2,2,2} nameservers={1,1,1,1} search=[\"b\",\"a\"]", "");
}

Test(inet_config, clearing)
{
    expect("{nameserver,{1,1,1,1}}. {alt_nameserver,{2,2,2,2}}. clear_ns. {search,[\"a\"]}. "
           "clear_search. "
           "{host,{1,1,1,1},[\"a\"]}. clear_hosts.",
           "", "");
    expect("{timeout,5}. {nameserver,{1,1,1,1}}. reset.", "lookup=[]", "");
}

Test(inet_config, methods_that_are_unknown_are_left_out)
{
    expect("{lookup,[bind,hosts,nostring,\"files\",{x},nis]}.", "lookup=[dns,file,file,nis]", "");
}

Test(inet_config, a_bad_term_ends_the_file)
{
    expect("{timeout,5}.\n{retry, 0}.\n{usevc,true}.", "timeout=5",
           "syntax error in rc: line 2, column 9: an integer of at least 1 is expected");
    expect(
        "{timeout,5}.\n  {nosuch,1}.", "timeout=5",
        "syntax error in rc: line 2, column 3: a parameter of the inet configuration is expected");
    expect("{nameserver,{1,1,1,1},65536}.", "",
           "syntax error in rc: line 1, column 23: a port, 0 to 65535, is expected");
    expect(
        "{hosts_file,\"etc/hosts\"}.", "",
        "syntax error in rc: line 1, column 13: a path that begins with /, or \"\", is expected");
    expect("{search,[\"a b\"]}.", "",
           "syntax error in rc: line 1, column 10: a domain, a string is expected");
}

Test(inet_config, a_file_that_cannot_be_parsed_counts_as_empty)
{
    expect("{timeout,5}.\n{retry,2}", "",
           "parse error in rc: line 2, column 10: a full stop has to follow, but the text ends");
}

Test(inet_config, an_unknown_type_of_file_makes_it_empty)
{
    expect("{timeout,5}.\n{file,nosuch,\"/etc/hosts\"}.", "",
           "syntax error in rc: line 2, column 7: a type of system file is expected");
}

Test(inet_config, a_missing_system_file_is_left_out)
{
    expect("{file,hosts,\"/nosuch\"}. {timeout,5}.", "timeout=5", "file /nosuch: not found");
}

/* To be unlinked. */
static void write_file(char *path, const char *content)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
}

/* A file of the system with this text is applied before and after terms. */
static const char *with_file(const char *type, const char *content, const char *rest)
{
    char path[] = "/tmp/weir_inet_XXXXXX";
    char text[512];
    write_file(path, content);
    snprintf(text, sizeof(text), "%s {file,%s,\"%s\"}.", rest, type, path);
    const char *answer = rc_of(text);
    unlink(path);
    return answer;
}

Test(inet_config, system_files)
{
    cr_expect_str_eq(
        with_file("hosts", "127.0.0.1 a b # c\r\n::1\tc\nfe80::1%eth0 d\n127.1 e\n", ""),
        "host={127,0,0,1},[\"e\"] host={0,0,0,0,0,0,0,1},[\"c\"]");
    cr_expect_str_eq(with_file("resolv", "nameserver 10.0.0.1\ndomain d\nsearch a b\noptions x\n",
                               "{search,[\"later\"]}."),
                     "domain=\"d\" nameservers={10,0,0,1} search=[\"a\",\"b\",\"later\"]");
    cr_expect_str_eq(with_file("host_conf_linux", "order hosts,bind\nmulti on\n", ""),
                     "lookup=[file,dns]");
    cr_expect_str_eq(with_file("host_conf_freebsd", "hosts\nbind\n", ""), "lookup=[file,dns]");
    cr_expect_str_eq(said, "");
    cr_expect_str_eq(with_file("host_conf_bsdos", "hosts local continue dns\n", ""),
                     "lookup=[dns]");
    cr_expect_str_eq(with_file("nsswitch_conf", "passwd: files\nhosts: files resolve dns\n", ""),
                     "lookup=[file,dns]");
}

Test(inet_config, what_the_system_asks_others_for_is_the_c_librarys)
{
    cr_expect_str_eq(with_file("nsswitch_conf", "hosts: files mdns4 [NOTFOUND=return] dns\n", ""),
                     "");
}

Test(inet_config, erroneous_lines_are_left_out_and_named)
{
    cr_expect_str_eq(with_file("hosts", "127.0.0.1\n127.0.0.1 a\n1.2.3.x b\n", ""),
                     "host={127,0,0,1},[\"a\"]");
    cr_expect(strstr(said, "line 3: left out"), "%s", said);
}

Test(inet_config, a_line_that_is_too_short_is_left_out)
{
    with_file("hosts", "1.2.3.4 a\n127.0.0.1\n1.2.3.5 b\n", "");
    cr_expect(strstr(said, "line 2: left out"), "%s", said);
}

Test(inet_config, from_a_file)
{
    char path[] = "/tmp/weir_inet_XXXXXX";
    struct inet_config *config;
    write_file(path, "{timeout,5}.");
    cr_assert_eq(inet_config_create(&config), 0);
    cr_expect_eq(inet_config_load(config, "/nosuch"), -ENOENT);
    cr_expect_eq(inet_config_load(config, path), 0);
    unlink(path);
    cr_expect_eq(inet_config_keep(config), config);
    inet_config_free(config);
    cr_expect_eq(config->numbers[INET_TIMEOUT_MS], 5);
    inet_config_free(config);
    cr_expect_eq(memory_live_count(), 0);
}

Test(inet_config, without_memory_nothing_is_left)
{
    static const char text[] =
        "{host,{127,0,0,1},[\"a\"]}. {search,[\"x\",\"y\"]}. {domain,\"d\"}. "
        "{file,hosts,\"/etc/hosts\"}. {resolv_conf,\"/etc/resolv.conf\"}.";
    int result = -ENOMEM;
    int64_t live = memory_live_count();
    for (uint64_t nth = 1; result == -ENOMEM; nth++) {
        struct inet_config *config = NULL;
        weir_parameter *parameters = NULL;
        size_t count;
        uint64_t before = memory_allocation_count();
        memory_fail_nth(nth);
        result = inet_config_create(&config);
        if (result == 0)
            result = inet_config_load_text(config, "rc", text);
        if (result != -ENOMEM)
            result = inet_rc_list(config, &parameters, &count);
        memory_fail_nth(0);
        cr_expect(result == -ENOMEM || memory_allocation_count() - before < nth);
        weir_parameters_free(parameters);
        inet_config_free(config);
        cr_assert_eq(memory_live_count(), live, "allocation %lu", (unsigned long)nth);
        cr_assert_lt(nth, 500u);
    }
    cr_expect_eq(result, 0);
}

Test(inet_config, bad_input_is_named)
{
    expect("{timeout,5}. {host,{1,2,3,4},[\"a\\0b\"]}.", "timeout=5",
           "syntax error in rc: line 1, column 31: a name, a string is expected");
    expect("{domain,\"a\\0b\"}.", "",
           "syntax error in rc: line 1, column 9: a domain, a string is expected");
    expect(
        "{hosts_file,\"/a\\0b\"}.", "",
        "syntax error in rc: line 1, column 13: a path that begins with /, or \"\", is expected");
    expect("{file,hosts,\"/a\\0b\"}. {timeout,5}.", "timeout=5",
           "syntax error in rc: line 1, column 13: a path, a string is expected");
    expect("{file,hosts,\"/tmp\"}. {timeout,5}.", "timeout=5", "file /tmp: not a regular file");
    expect("{nameserver,{1,2,3}}.", "",
           "syntax error in rc: line 1, column 13: an address, a tuple of 4 or 8 numbers, is "
           "expected");
    expect("{nameserver,{1,2,3,256}}.", "",
           "syntax error in rc: line 1, column 13: an address, a tuple of 4 or 8 numbers, is "
           "expected");
    expect("{inet6,inet}.", "", "syntax error in rc: line 1, column 8: true or false is expected");
    expect("{udp_payload_size,511}.", "",
           "syntax error in rc: line 1, column 19: an integer of at least 512 is expected");
}

Test(inet_config, numbers_at_their_limits)
{
    expect("{timeout,0}.", "",
           "syntax error in rc: line 1, column 10: an integer of at least 1 is expected");
    expect("{timeout,x}.", "",
           "syntax error in rc: line 1, column 10: an integer of at least 1 is expected");
    expect("{servfail_retry_timeout,-1}.", "",
           "syntax error in rc: line 1, column 25: an integer of at least 0 is expected");
    expect("{edns,1}.", "", "syntax error in rc: line 1, column 7: 0 or false is expected");
    expect("{edns,true}.", "", "syntax error in rc: line 1, column 7: 0 or false is expected");
    expect("{usevc,1}.", "", "syntax error in rc: line 1, column 8: true or false is expected");
    expect("{edns,0}. {edns,false}. {usevc,true}. {usevc,false}.", "", "");
    expect("{cache_refresh,1}.", "cache_refresh=1000", "");
    expect("{cache_refresh,1000}.", "cache_refresh=1000", "");
    expect("{cache_refresh,1001}.", "cache_refresh=2000", "");
    expect("{cache_refresh,9223372036854775807}.", "cache_refresh=9223372036854775807", "");
    expect("{cache_refresh,9223372036854774808}.", "cache_refresh=9223372036854775000", "");
}

Test(inet_config, servers_and_their_ports)
{
    expect("{nameserver,{1,2,3,4},0}. {nameserver,{255,0,0,0},65535}.",
           "nameservers={1,2,3,4},0 nameservers={255,0,0,0},65535", "");
    expect("{nameserver,{1,2,3,4},-1}.", "",
           "syntax error in rc: line 1, column 23: a port, 0 to 65535, is expected");
    expect("{nameserver,{1,2,3,4},x}.", "",
           "syntax error in rc: line 1, column 23: a port, 0 to 65535, is expected");
    expect("{nameserver,{16#fe80,3,0,0,0,0,0,65535}}.", "nameservers={65152,3,0,0,0,0,0,65535}",
           "");
    expect("{alt_nameserver,{0,1,2,3,4,5,6,7}}. {alt_nameserver,{0,1,2,3,4,5,6,8},53}.",
           "alt_nameservers={0,1,2,3,4,5,6,7} alt_nameservers={0,1,2,3,4,5,6,8}", "");
    static const char *const none[] = {"{1,2,3,-1}",          "{1,2,3,x}", "{0,0,0,0,0,0,0,65536}",
                                       "{0,0,0,0,0,0,0,0,0}", "\"abcd\"",  "{0,0,0,0,0,0,0}"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "{nameserver,%s}.", none[i]);
        expect(text, "",
               "syntax error in rc: line 1, column 13: an address, a tuple of 4 or 8 numbers, is "
               "expected");
    }
}

/* `count` terms {nameserver,_}, all different; or so many methods of one list. */
static const char *many(const char *before, const char *each, const char *behind, unsigned count)
{
    static char text[4096];
    int length = snprintf(text, sizeof(text), "%s", before);
    for (unsigned i = 0; i < count; i++)
        length += snprintf(text + length, sizeof(text) - (size_t)length, each, i);
    snprintf(text + length, sizeof(text) - (size_t)length, "%s", behind);
    return text;
}

Test(inet_config, as_many_servers_and_methods_as_there_may_be)
{
    rc_of(many("", "{nameserver,{1,1,1,%u}}. ", "", 32));
    cr_expect_str_eq(said, "");
    rc_of(many("", "{nameserver,{1,1,1,%u}}. ", "{nameserver,{1,1,1,0}}.", 32));
    cr_expect_str_eq(said, "", "one that is there already: %s", said);
    rc_of(many("", "{nameserver,{1,1,1,%u}}. ", "", 33));
    cr_expect_str_eq(said, "syntax error in rc: line 1, column 791: there are 32 name servers "
                           "already");
    rc_of(many("{lookup,[dns", ",file", "]}.", 31));
    cr_expect_str_eq(said, "");
    expect(many("{lookup,[dns", ",file", "]}.", 32), "",
           "syntax error in rc: line 1, column 169: a list of fewer methods is expected");
}

Test(inet_config, terms_of_the_wrong_shape)
{
    static const char *const unknown[] = {"nosuch.",
                                          "5.",
                                          "{}.",
                                          "{nameserver}.",
                                          "{nameserver,{1,2,3,4},53,x}.",
                                          "{host}.",
                                          "[timeout,5].",
                                          "{timeout}.",
                                          "{lookup}.",
                                          "{host,{1,2,3,4}}.",
                                          "{timeout,1,2}."};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        expect(unknown[i], "",
               "syntax error in rc: line 1, column 1: a parameter of the inet configuration is "
               "expected");
    expect("{host,{1,2,3,4},\"ab\"}.", "",
           "syntax error in rc: line 1, column 17: a list of one or more names is expected");
    expect("{host,x,[\"a\"]}.", "",
           "syntax error in rc: line 1, column 7: an address, a tuple of 4 or 8 numbers, is "
           "expected");
    expect("{search,x}.", "",
           "syntax error in rc: line 1, column 9: a list of domains is expected");
    expect("{lookup,x}.", "",
           "syntax error in rc: line 1, column 9: a list of methods is expected");
    expect("{udp,\"x\"}.", "",
           "syntax error in rc: line 1, column 6: the name of a module is expected");
    expect(
        "{hosts_file,x}.", "",
        "syntax error in rc: line 1, column 13: a path that begins with /, or \"\", is expected");
    expect("{file,hosts,x}. {timeout,5}.", "timeout=5",
           "syntax error in rc: line 1, column 13: a path, a string is expected");
    expect("{file,\"hosts\",\"/x\"}. {timeout,5}.", "",
           "syntax error in rc: line 1, column 7: a type of system file is expected");
    expect("{domain,\"d\"}. {domain,\"\"}. {search,[\"\",\"a\"]}. clear_cache.",
           "search=[\"\",\"a\"]", "");
    expect("{udp,x}. {domain,\"d\"}. {search,[\"a\"]}. {alt_nameserver,{1,2,3,4}}. reset. "
           "{lookup,[native]}.",
           "", "");
}

/* The first thing that is wrong is told, and what stands in files counts nevertheless. */
Test(inet_config, of_several_problems_the_first_is_told)
{
    expect("{file,hosts,\"/nosuch\"}. {file,hosts,\"/nosuch2\"}. {timeout,5}. {timeout,0}.",
           "timeout=5", "file /nosuch: not found");
    struct inet_config *config;
    cr_assert_eq(inet_config_create(&config), 0);
    memory_fail_nth(1000);
    cr_expect_eq(inet_config_load_text(config, "rc", "{resolv_conf,\"/nosuch\"}. {timeout,0}."),
                 -ENOENT);
    inet_config_free(config);
}

/* What cannot be used is no problem among others; without it everything counts. */
Test(inet_config, no_memory_counts_more_than_what_was_wrong)
{
    char path[] = "/tmp/weir_inet_XXXXXX";
    char text[256];
    int result = -ENOMEM;
    write_file(path, "1.2.3.4 a\nsearch b\nnameserver 1.1.1.1\n");
    snprintf(text, sizeof(text),
             "{file,hosts,\"/nosuch\"}. {file,hosts,\"%s\"}. {resolv_conf,\"%s\"}. {domain,\"d\"}.",
             path, path);
    for (uint64_t nth = 1; result == -ENOMEM; nth++) {
        struct inet_config *config;
        cr_assert_eq(inet_config_create(&config), 0);
        memory_fail_nth(nth);
        result = inet_config_load_text(config, "rc", text);
        memory_fail_nth(0);
        bool whole = strcmp(config->texts[INET_DOMAIN], "d") == 0 &&
                     config->hosts.name_count == 1 && config->search.count == 1 &&
                     config->nameservers.count == 1;
        cr_expect(whole || result == -ENOMEM, "allocation %lu: %d", (unsigned long)nth, result);
        inet_config_free(config);
        cr_assert_lt(nth, 100u);
    }
    unlink(path);
    cr_expect_eq(result, -ENOENT);
}

Test(inet_config, what_would_not_read_back_is_escaped)
{
    expect("{host,{1,2,3,4},[\"a\\\"b\\\\c\\x01\\x1f\\x7f \\x80'\"]}.",
           "host={1,2,3,4},[\"a\\\"b\\\\c\\x01\\x1f\\x7f \x80'\"]", "");
    expect("{tcp,'it\\'s'}.", "tcp='it\\'s'", "");
}

Test(inet_config, lines_of_the_systems_files)
{
    cr_expect_str_eq(with_file("hosts", "fe80::1% a\n::1%lo b\n1.2.3.4 c", ""),
                     "host={1,2,3,4},[\"c\"]");
    cr_expect_str_eq(said, "");
    cr_expect_str_eq(with_file("hosts", "1.1.1.1\ta b c d e f g h i j k l m n o p q r\n", ""),
                     "host={1,1,1,1},[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\","
                     "\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\",\"r\"]");
    cr_expect_str_eq(
        with_file("resolv", "domain a\x01\nnameserver 1.2.3.x\nnameserver 1.2.3.4\n", ""),
        "nameservers={1,2,3,4}");
    cr_expect(strstr(said, "line 2: left out"), "%s", said);
    cr_expect_str_eq(with_file("resolv", "\n# nothing\nsearch a b\x01 c\ndomain\nnameserver\n", ""),
                     "search=[\"a\"]");
    cr_expect(strstr(said, "line 3: left out"), "%s", said);
    cr_expect_str_eq(with_file("resolv", "lookup file bind\nsearch a a\n", ""),
                     "search=[\"a\"] lookup=[file,dns]");
    cr_expect_str_eq(with_file("host_conf_freebsd", "hosts\nbind hosts\n", ""), "lookup=[file]");
    cr_expect(strstr(said, "line 2: left out"), "%s", said);
    cr_expect_str_eq(with_file("host_conf_bsdos", "hosts dns\nhosts,dns\nhosts hosts,nis\n", ""),
                     "lookup=[dns,file,nis]");
    cr_expect_str_eq(with_file("host_conf_linux", "order hosts\norder bind\nmulti on\n", ""),
                     "lookup=[dns]");
    cr_expect_str_eq(
        with_file("nsswitch_conf", "hosts: files [NOTFOUND=return] myhostname dns\n", ""),
        "lookup=[file,dns]");
}

/* With a resolv.conf of this text. */
static const char *with_resolv_conf(const char *content)
{
    char path[] = "/tmp/weir_resolv_XXXXXX";
    char text[256];
    write_file(path, content);
    snprintf(text, sizeof(text),
             "{search,[\"z\"]}. {nameserver,{1,1,1,1}}. {hosts_file,\"\"}. {resolv_conf,\"%s\"}.",
             path);
    const char *answer = rc_of(text);
    cr_expect_str_eq(said, "");
    unlink(path);
    return answer;
}

Test(inet_config, a_new_resolv_conf_takes_the_place_of_what_was_there)
{
    const char *answer =
        with_resolv_conf("nameserver 10.0.0.1\nnameserver x\nnameserver 10.0.0.1\nsearch a\n"
                         "domain b\nsearch c d\x01 e\nnameserver\n");
    const char *rest = "nameservers={10,0,0,1} nameservers={10,0,0,1} search=[\"c\",\"e\"] ";
    cr_expect_eq(strncmp(answer, rest, strlen(rest)), 0, "%s", answer);
    answer = with_resolv_conf(many("search a\ndomain b\n", "nameserver 10.0.0.%u\n", "", 40));
    cr_expect(strstr(answer, "{10,0,0,31} search=[\"b\"] "), "%s", answer);
}

/* Of link-local ones the second group is a scope; what looks alike among those of IPv4 is not. */
Test(inet_config, scopes_of_addresses)
{
    struct inet_config *config;
    cr_assert_eq(inet_config_create(&config), 0);
    cr_expect_eq(inet_config_load_text(config, "rc",
                                       "{nameserver,{16#fe80,3,0,0,0,0,0,1}}. "
                                       "{nameserver,{16#fd80,3,0,0,0,0,0,1}}. "
                                       "{nameserver,{254,128,0,3}}."),
                 0);
    cr_assert_eq(config->nameservers.count, 3u);
    const weir_address *servers = config->nameservers.servers;
    cr_expect_eq(servers[0].scope_id, 3u);
    cr_expect_eq(servers[0].bytes[3], 0);
    cr_expect_eq(servers[1].scope_id, 0u);
    cr_expect_eq(servers[1].bytes[3], 3);
    cr_expect_eq(servers[2].scope_id, 0u);
    cr_expect_eq(servers[2].bytes[3], 3);
    inet_config_free(config);
}

/* Whoever opens a pipe waits for its other end. */
Test(inet_config, files_that_are_none, .timeout = 10)
{
    char path[] = "/tmp/weir_pipe_XXXXXX";
    char text[64];
    cr_assert_not_null(mkdtemp(path));
    rmdir(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    snprintf(text, sizeof(text), "{file,hosts,\"%s\"}.", path);
    rc_of(text);
    cr_expect(strstr(said, ": not a regular file"), "%s", said);
    unlink(path);
}

Test(inet_config, a_file_that_gets_the_first_descriptor)
{
    close(0);
    cr_expect_str_eq(with_file("hosts", "1.2.3.4 a\n", ""), "host={1,2,3,4},[\"a\"]");
    cr_expect_str_eq(said, "");
}

/* Else the resolver would look for changes of the system's. */
Test(inet_config, a_resolv_conf_that_is_given_is_known_as_such)
{
    struct inet_config *config;
    cr_assert_eq(inet_config_create(&config), 0);
    cr_expect_not(config->resolv_conf_given);
    cr_expect_eq(inet_config_load_text(config, "rc", "{hosts_file,\"\"}."), 0);
    cr_expect_not(config->resolv_conf_given);
    cr_expect_eq(inet_config_load_text(config, "rc", "{resolv_conf,\"\"}."), 0);
    cr_expect(config->resolv_conf_given);
    inet_config_free(config);
}

/* A file that is larger than any of hosts is not read. */
Test(inet_config, files_up_to_64_MiB)
{
    char path[] = "/tmp/weir_large_XXXXXX";
    char text[64];
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    snprintf(text, sizeof(text), "{file,hosts,\"%s\"}.", path);
    cr_assert_eq(ftruncate(fd, 64 << 20), 0);
    rc_of(text);
    cr_expect_str_eq(said, "");
    cr_assert_eq(ftruncate(fd, (64 << 20) + 1), 0);
    rc_of(text);
    cr_expect(strstr(said, ": larger than 64 MiB"), "%s", said);
    close(fd);
    unlink(path);
}

static void expect_own_name(const char *name, const char *host, const char *domain)
{
    struct inet_config *config;
    own_name = name;
    cr_assert_eq(inet_config_create(&config), 0);
    cr_expect_str_eq(config->host_name, host);
    cr_expect_str_eq(config->host_domain, domain);
    cr_expect_str_eq(config->texts[INET_DOMAIN], domain);
    cr_expect_eq(config->search.count, *domain ? 1u : 0u);
    cr_expect(!*domain || strcmp(config->search.texts[0], domain) == 0);
    inet_config_free(config);
}

Test(inet_config, this_machines_name)
{
    expect_own_name("me.example.com", "me", "example.com");
    expect_own_name("me", "me", "");
    expect_own_name("", "nohost", "nodomain");
    expect_own_name(NULL, "nohost", "nodomain");
}

Test(inet_config, where_the_systems_files_are)
{
    struct inet_config *config;
    cr_assert_eq(inet_config_create(&config), 0);
    cr_expect_str_eq(config->texts[INET_HOSTS_FILE], "/etc/hosts");
    cr_expect_str_eq(config->texts[INET_RESOLV_CONF], "/etc/resolv.conf");
    inet_config_free(config);
    setenv("ERL_INET_ETC_DIR", "/elsewhere", 1);
    cr_assert_eq(inet_config_create(&config), 0);
    cr_expect_str_eq(config->texts[INET_HOSTS_FILE], "/elsewhere/hosts");
    cr_expect_str_eq(config->texts[INET_RESOLV_CONF], "/elsewhere/resolv.conf");
    inet_config_free(config);
}
