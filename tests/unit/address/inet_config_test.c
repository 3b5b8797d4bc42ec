/* SPDX-License-Identifier: MIT */
#include "address/inet_rc.h"
#include "base/error.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[ERROR_TEXT_SIZE];

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

/* A file of the system with this text is applied before and after terms. */
static const char *with_file(const char *type, const char *content, const char *rest)
{
    char path[] = "/tmp/weir_inet_XXXXXX";
    char text[512];
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
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
        memory_fail_nth(nth);
        result = inet_config_create(&config);
        if (result == 0)
            result = inet_config_load_text(config, "rc", text);
        if (result != -ENOMEM)
            result = inet_rc_list(config, &parameters, &count);
        memory_fail_nth(0);
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
