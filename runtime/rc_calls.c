/* SPDX-License-Identifier: MIT */
/* inet's get_rc, and loading the inet configuration of a runtime again. */
#include <errno.h>

#include "address/inet_rc.h"
#include "base/error.h"
#include "base/thread.h"
#include "runtime/resolver/resolver.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/scheduler.h"

int weir_get_rc(weir_runtime *runtime, weir_parameter **parameters, size_t *count)
{
    error_clear_text();
    *parameters = NULL;
    *count = 0;
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    struct inet_config *inet = naming_keep(&runtime->naming);
    result = inet_rc_list(inet, parameters, count);
    inet_config_free(inet);
    runtimes_leave(runtime);
    return result < 0 ? error_say(result, "no memory for the inet configuration") : 0;
}

/* When it is back, no scheduler looks anything up by the one before. */
static int take_everywhere(weir_runtime *runtime)
{
    int result = 0;
    for (uint32_t i = 0; i < runtime->scheduler_count && result == 0; i++) {
        struct naming_call take = {.naming = &runtime->naming};
        result = call_make_on(&operation_take_naming, runtime->schedulers[i]->index, &take.call);
    }
    return result;
}

/* What a start would only say is an error here: there is a configuration to go on with. */
static int read_faultless(struct inet_config **inet, const struct inet_sources *sources)
{
    int of_file;
    int result = runtime_read_inet(inet, sources, &of_file);
    if (result == 0 && of_file < 0)
        inet_config_free(*inet);
    return result < 0 ? result : of_file;
}

static int load(weir_runtime *runtime, const struct inet_sources *sources)
{
    struct inet_config *inet;
    int result = read_faultless(&inet, sources);
    if (result < 0)
        return result;
    naming_set(&runtime->naming, inet);
    return take_everywhere(runtime);
}

int weir_load_rc(weir_runtime *runtime, const char *inetrc, const char *inet_terms)
{
    const struct inet_sources sources = {inetrc, inet_terms};
    error_clear_text();
    if (scheduler_current())
        return error_say(-EDEADLK, "weir_load_rc reads files and waits for schedulers, which a "
                                   "scheduler must not");
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    int before = thread_put_off_cancel();
    result = load(runtime, &sources);
    thread_allow_cancel(before);
    runtimes_leave(runtime);
    return result;
}
