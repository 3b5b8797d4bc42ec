/* SPDX-License-Identifier: MIT */
/* A C library that takes its time: this program has its own gethostbyname2_r. */
#include "asked.h"

#include <netdb.h>
#include <semaphore.h>

static sem_t let_go;

int gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer, size_t size,
                     struct hostent **found, int *reason)
{
    (void)name, (void)family, (void)entry, (void)buffer, (void)size;
    while (sem_wait(&let_go) != 0)
        ;
    *found = NULL;
    *reason = HOST_NOT_FOUND;
    return 0;
}

static const struct {
    const char *terms;
    const char *answer;
    uint64_t at_least_ms;
} slow[] = {
    {"{lookup,[native]}. {timeout,50}.", "nxdomain", 200},
    {"{lookup,[native,file]}. {timeout,100}. {host,{10,0,0,7},[\"seven\"]}.", "seven | 10.0.0.7",
     400},
};

Test(native, is_given_up_after_four_time_outs)
{
    for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
        sem_init(&let_go, 0, 0);
        struct asked asked = asked_start(1, slow[i].terms);
        uint64_t begun_ms = now_ms();
        cr_expect_str_eq(name_of(&asked, "seven", WEIR_INET), slow[i].answer);
        cr_expect_geq(now_ms() - begun_ms, slow[i].at_least_ms);
        sem_post(&let_go);
        asked_stop(&asked);
    }
}
