/* SPDX-License-Identifier: MIT */
/* Names of local sockets, as text and as the kernel has them. */
#include "address/address.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <weir/error.h>

struct row {
    const char *text;
    const char *name;
    size_t size;
};

Test(local, texts_are_read_and_written)
{
    static const struct row rows[] = {
        {"unix:/run/a", "/run/a", 6}, {"unix:a", "a", 1},       {"unix:@a", "\0a", 2},
        {"unix:@", "\0", 1},          {"unix:./@a", "./@a", 4}, {"unix:unix:", "unix:", 5},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        weir_local_address address;
        char text[WEIR_LOCAL_TEXT_SIZE];
        cr_assert(weir_local_address_parse(rows[i].text, &address) == 0);
        cr_expect(address.size == rows[i].size, "%s", rows[i].text);
        cr_expect(memcmp(address.name, rows[i].name, rows[i].size) == 0, "%s", rows[i].text);
        cr_expect_str_eq(weir_local_address_format(&address, text), rows[i].text);
    }
}

Test(local, texts_that_are_none)
{
    static const char *const texts[] = {NULL, "", "unix", "unix:", "/run/a", "UNIX:/run/a", "@a"};
    weir_local_address address;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_expect(weir_local_address_parse(texts[i], &address) == -EINVAL, "%s", texts[i]);
}

/* A path has room for 107 bytes and a NUL, an abstract name for 108 with the one before it. */
Test(local, the_longest_names)
{
    char text[5 + 110] = "unix:";
    weir_local_address address;
    for (char first = '@'; first <= 'A'; first++) {
        size_t most = first == '@' ? 108 : 107;
        memset(text + 5, first, most + 1);
        text[5 + most + 1] = '\0';
        cr_expect(weir_local_address_parse(text, &address) == -EINVAL);
        cr_expect(strstr(weir_last_error_text(), text + 5) != NULL, "%s", weir_last_error_text());
        text[5 + most] = '\0';
        cr_expect(weir_local_address_parse(text, &address) == 0, "%s", weir_last_error_text());
        cr_expect(address.size == most);
    }
}

Test(local, names_as_bytes)
{
    char name[110];
    weir_local_address address;
    memset(name, 'a', sizeof(name));
    cr_expect(local_address_set(&address, name, 107) == 0 && address.size == 107);
    cr_expect(memcmp(address.name, name, 107) == 0);
    cr_expect(local_address_set(&address, name, 108) == -EINVAL && address.size == 0);
    name[50] = '\0';
    cr_expect(local_address_set(&address, name, 107) == -EINVAL && address.size == 0);
    name[0] = '\0';
    cr_expect(local_address_set(&address, name, 108) == 0 && address.size == 108);
    cr_expect(memcmp(address.name, name, 108) == 0);
    cr_expect(local_address_set(&address, name, 109) == -EINVAL && address.size == 0);
    cr_expect(local_address_set(&address, name, 0) == 0 && address.size == 0);
    cr_expect(local_address_set(&address, NULL, 0) == 0 && address.size == 0);
}

Test(local, the_kernels_form_and_back)
{
    static const char *const texts[] = {"unix:/a", "unix:@a", "unix:@"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sockaddr_storage storage;
        weir_local_address address;
        weir_local_address back;
        cr_assert(weir_local_address_parse(texts[i], &address) == 0);
        socklen_t size = local_address_to_sockaddr(&address, &storage);
        cr_expect(size == offsetof(struct sockaddr_un, sun_path) + address.size + (i == 0));
        local_address_from_sockaddr(&storage, size, &back);
        cr_expect(back.size == address.size && memcmp(back.name, address.name, back.size) == 0);
    }
}

Test(local, no_name)
{
    struct sockaddr_storage storage;
    weir_local_address address = {0};
    weir_local_address back;
    char text[WEIR_LOCAL_TEXT_SIZE];
    socklen_t size = local_address_to_sockaddr(&address, &storage);
    cr_expect(size == offsetof(struct sockaddr_un, sun_path));
    local_address_from_sockaddr(&storage, size, &back);
    cr_expect(back.size == 0);
    cr_expect_str_eq(weir_local_address_format(&back, text), "unix:");
    local_address_from_sockaddr(&storage, 0, &back); /* of a peer that has no address at all */
    cr_expect(back.size == 0);
}

/* Of a path without room for its NUL the kernel counts that nevertheless. */
Test(local, sizes_of_more_than_there_is_room_for)
{
    struct sockaddr_storage storage;
    weir_local_address address;
    memset(&storage, 'a', sizeof(storage));
    local_address_from_sockaddr(&storage, offsetof(struct sockaddr_un, sun_path) + 109, &address);
    cr_expect(address.size == WEIR_LOCAL_NAME_SIZE);
    ((char *)&storage)[offsetof(struct sockaddr_un, sun_path)] = '\0';
    local_address_from_sockaddr(&storage, sizeof(storage), &address);
    cr_expect(address.size == WEIR_LOCAL_NAME_SIZE);
}
