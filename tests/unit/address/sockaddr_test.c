/* SPDX-License-Identifier: MIT */
#include "address/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static weir_address address_of(const char *text, uint16_t port)
{
    weir_address address;
    cr_assert_eq(weir_address_parse(text, &address), 0);
    address.port = port;
    return address;
}

Test(sockaddr, inet)
{
    weir_address address = address_of("192.0.2.1", 0x1234);
    weir_address back;
    struct sockaddr_storage storage;
    struct sockaddr_in inet;
    cr_assert_eq(address_to_sockaddr(&address, &storage), sizeof(inet));
    memcpy(&inet, &storage, sizeof(inet));
    cr_expect_eq(inet.sin_family, AF_INET);
    cr_expect_eq(ntohs(inet.sin_port), 0x1234);
    cr_expect_eq(ntohl(inet.sin_addr.s_addr), 0xc0000201u);
    cr_expect_eq(address_from_sockaddr(&storage, &back), 0);
    cr_expect(weir_address_equal(&address, &back));
}

Test(sockaddr, inet6_with_its_scope)
{
    weir_address address = address_of("fe80::1%03", 80);
    weir_address back;
    struct sockaddr_storage storage;
    struct sockaddr_in6 inet6;
    cr_assert_eq(address_to_sockaddr(&address, &storage), sizeof(inet6));
    memcpy(&inet6, &storage, sizeof(inet6));
    cr_expect_eq(inet6.sin6_family, AF_INET6);
    cr_expect_eq(ntohs(inet6.sin6_port), 80);
    cr_expect_eq(inet6.sin6_scope_id, 3);
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &inet6.sin6_addr, text, sizeof(text));
    cr_expect_str_eq(text, "fe80::1", "the kernel wants the scope beside the address, not in it");
    cr_expect_eq(address_from_sockaddr(&storage, &back), 0);
    cr_expect(weir_address_equal(&address, &back));
}

Test(sockaddr, other_families)
{
    weir_address address = {.family = AF_PACKET};
    struct sockaddr_storage storage = {.ss_family = AF_PACKET};
    cr_expect_eq(address_from_sockaddr(&storage, &address), -EAFNOSUPPORT);
    cr_expect_eq(address_to_sockaddr(&address, &storage), 0);
}

Test(equal, every_part_counts)
{
    weir_address a = address_of("192.0.2.1", 80);
    weir_address b = a;
    cr_expect(weir_address_equal(&a, &b));
    b.bytes[4] = 1;
    cr_expect(weir_address_equal(&a, &b), "an IPv4 address has four bytes");
    b.bytes[3]++;
    cr_expect_not(weir_address_equal(&a, &b));
    b = address_of("192.0.2.1", 81);
    cr_expect_not(weir_address_equal(&a, &b));

    a = address_of("fe80::1%03", 80);
    b = a;
    cr_expect(weir_address_equal(&a, &b));
    b.bytes[15]++;
    cr_expect_not(weir_address_equal(&a, &b));
    b = address_of("fe80::1%04", 80);
    cr_expect_not(weir_address_equal(&a, &b));
    a = address_of("::", 80);
    b = address_of("0.0.0.0", 80);
    cr_expect_not(weir_address_equal(&a, &b));
}
