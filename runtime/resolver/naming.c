/* SPDX-License-Identifier: MIT */
#include "runtime/resolver/naming.h"

#include "base/thread.h"
#include "runtime/resolver/native.h"

int naming_open(struct naming *naming)
{
    int result = natives_open(&naming->natives);
    if (result == 0)
        pthread_mutex_init(&naming->lock, NULL);
    return result;
}

void naming_close(struct naming *naming)
{
    if (naming->natives) {
        natives_close(naming->natives);
        thread_end_lock(&naming->lock);
    }
    inet_config_free(naming->inet);
}

struct inet_config *naming_keep(struct naming *naming)
{
    pthread_mutex_lock(&naming->lock);
    struct inet_config *inet = inet_config_keep(naming->inet);
    pthread_mutex_unlock(&naming->lock);
    return inet;
}

void naming_set(struct naming *naming, struct inet_config *inet)
{
    pthread_mutex_lock(&naming->lock);
    struct inet_config *before = naming->inet;
    naming->inet = inet;
    pthread_mutex_unlock(&naming->lock);
    inet_config_free(before);
}

enum weir_family naming_family(struct naming *naming)
{
    pthread_mutex_lock(&naming->lock);
    bool inet6 = naming->inet->numbers[INET_INET6];
    pthread_mutex_unlock(&naming->lock);
    return inet6 ? WEIR_INET6 : WEIR_INET;
}
