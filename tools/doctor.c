/* SPDX-License-Identifier: MIT */
/* weir doctor: whether this machine can run weir, what is used, what is not and why. */
#include "doctor.h"

#include "address/inet_config.h"
#include "base/error.h"
#include "command.h"
#include "machine.h"
#include "machine_udp.h"
#include "runtime/fit.h"
#include "runtime/ring/features.h"
#include "runtime/ring/ring.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <weir/weir.h>

const char doctor_details[] =
    "Tries what weir needs and prints what came of it. A line with a '!' says that\n"
    "something could be better, and what to do. Exit status: 0 when weir can run, 1\n"
    "when it cannot, 2 when it was asked wrongly.\n"
    "\n"
    "WEIR_FEATURES_OFF=NAME,... keeps weir from using features, by the names printed\n"
    "here; WEIR_FEATURES_OFF=kernel=6.1 from all that are newer than that kernel.\n";

/* What the checks share. */
struct patient {
    struct weir_runtime runtime; /* as configured by default and by the environment; not started */
    const char *kernel;
};

enum verdict { CAN_RUN, CANNOT_RUN };

struct check {
    const char *name;
    enum verdict (*run)(const struct patient *patient);
};

__attribute__((format(printf, 1, 2))) static void advise(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("  ! ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

static void advise_about_refusal(void)
{
    int64_t disabled = machine_setting("/proc/sys/kernel/io_uring_disabled");
    if (disabled > 0)
        advise("kernel.io_uring_disabled is %" PRId64 ": sysctl -w kernel.io_uring_disabled=0",
               disabled);
    if (machine_has_seccomp_filter())
        advise("a seccomp filter is at work, as in a container: let it allow io_uring_setup, "
               "io_uring_enter and io_uring_register");
}

static const char *reason_against(const struct patient *patient, const struct feature_row *row)
{
    unsigned bit = 1u << (row - feature_rows);
    if (patient->runtime.limits.ring.features_off & bit)
        return "is switched off";
    if (!version_is_at_least(version_of(patient->kernel), version_of(row->kernel)))
        return "needs a newer kernel";
    return "cannot be had here";
}

static void print_features(const struct patient *patient, uint32_t features)
{
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_row *row = &feature_rows[i];
        if (features & 1u << i)
            printf("  %-18s used\n", row->name);
        else
            printf("  %-18s %s (Linux %s): %s\n", row->name, reason_against(patient, row),
                   row->kernel, row->without);
    }
}

/* As weir_start opens them. */
static int open_some_ring(struct ring **ring, const struct ring_config *config,
                          struct ring_profile *profile)
{
    struct fit fit = {0};
    struct ring_config fitting = *config;
    int result = ring_open(ring, &fitting, profile);
    while (result == RING_LACKS_MEMORY && fit_again(&fit, &fitting, 1)) {
        fitting = *config;
        fit_apply(&fit, &fitting);
        result = ring_open(ring, &fitting, profile);
    }
    return result == RING_LACKS_MEMORY ? -ENOMEM : result;
}

static enum verdict check_ring(const struct patient *patient)
{
    const struct ring_config *config = &patient->runtime.limits.ring;
    struct ring_profile profile;
    struct ring *ring;
    int result = open_some_ring(&ring, config, &profile);
    if (result < 0) {
        printf("%s: %s\n", weir_error_name(result), weir_last_error_text());
        advise_about_refusal();
        return CANNOT_RUN;
    }
    ring_close(ring);
    printf("works, with %u submissions and %u completions\n", profile.submission_entries,
           profile.completion_entries);
    if (profile.completion_entries < config->completion_entries)
        advise("memory is short: %u completions were asked for", config->completion_entries);
    print_features(patient, profile.features);
    return CAN_RUN;
}

/* The real thing: every thread, ring and buffer of a default start. */
static enum verdict check_schedulers(const struct patient *patient)
{
    struct weir_runtime *runtime;
    int result = weir_start(&runtime, NULL);
    if (result < 0) {
        printf("%u, which do not start: %s: %s\n", patient->runtime.scheduler_count,
               weir_error_name(result), weir_last_error_text());
        return CANNOT_RUN;
    }
    printf("%u, one per core\n", weir_scheduler_count(runtime));
    return weir_stop(runtime) < 0 ? CANNOT_RUN : CAN_RUN;
}

static bool charges_rings(const char *kernel)
{
    struct version version = version_of(kernel);
    return version_is_at_least(version, (struct version){6, 14}) &&
           !version_is_at_least(version, (struct version){6, 19});
}

static enum verdict check_locked_memory(const struct patient *patient)
{
    uint64_t needed =
        patient->runtime.scheduler_count * fit_locked_bytes(&patient->runtime.limits.ring);
    struct rlimit limit;
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur == RLIM_INFINITY || machine_may_lock_memory()) {
        puts("no limit");
        return CAN_RUN;
    }
    printf("at most %" PRIu64 " KiB for all processes of this user; ", limit.rlim_cur / 1024);
    if (charges_rings(patient->kernel))
        printf("rings take about %" PRIu64 " KiB of it\n", needed / 1024);
    else
        puts("rings are not counted by this kernel");
    if (charges_rings(patient->kernel) && needed > limit.rlim_cur)
        advise("rings will be smaller or fail: ulimit -l unlimited, LimitMEMLOCK=infinity");
    return CAN_RUN;
}

/* Beside the connections: standard streams, and of each scheduler a ring, a counter, a listener. */
static enum verdict check_open_files(const struct patient *patient)
{
    enum { WISHED = 65536 };
    struct rlimit limit;
    uint64_t own = 3 + 3ull * patient->runtime.scheduler_count;
    getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t left = limit.rlim_cur > own ? limit.rlim_cur - own : 0;
    printf("at most %" PRIu64 ", so about %" PRIu64 " connections\n", limit.rlim_cur, left);
    if (limit.rlim_cur >= WISHED)
        return CAN_RUN;
    if (limit.rlim_cur < limit.rlim_max)
        advise("for more: ulimit -n %" PRIu64, limit.rlim_max < WISHED ? limit.rlim_max : WISHED);
    if (limit.rlim_max < WISHED)
        advise("for more than %" PRIu64 ", root has to raise the hard limit: LimitNOFILE=%d",
               limit.rlim_max, WISHED);
    return CAN_RUN;
}

static enum verdict check_backlog(const struct patient *patient)
{
    (void)patient;
    int64_t most = machine_setting("/proc/sys/net/core/somaxconn");
    printf("at most %" PRId64 " connections wait to be accepted, whatever backlog says\n", most);
    if (most < 1024)
        advise("a burst of clients may have to try again: sysctl -w net.core.somaxconn=4096");
    return CAN_RUN;
}

/* What was tried, and what is lost without it. */
static void report_udp(const char *name, bool works, const char *without)
{
    printf("  %-18s %s%s\n", name, works ? "works" : "is not there: ", works ? "" : without);
}

static enum verdict check_udp(const struct patient *patient)
{
    struct machine_udp udp;
    (void)patient;
    int result = machine_try_udp(&udp);
    if (result < 0) {
        printf("does not work: %s\n", weir_error_text(result));
        return CAN_RUN;
    }
    puts("tried over the loopback interface");
    report_udp("gso", udp.gso, "runs of datagrams are sent one by one");
    report_udp("gro", udp.gro, "{udp_gro,true} is refused, or receives one by one");
    report_udp("pktinfo", udp.pktinfo, "{pktinfo,true} does not say where a datagram came to");
    return CAN_RUN;
}

static const struct check checks[] = {
    {"io_uring", check_ring},
    {"schedulers", check_schedulers},
    {"locked memory", check_locked_memory},
    {"open files", check_open_files},
    {"accept queue", check_backlog},
    {"udp", check_udp},
};

static enum verdict run_checks(const struct patient *patient)
{
    enum verdict verdict = CAN_RUN;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        printf("%-14s ", checks[i].name);
        if (checks[i].run(patient) == CANNOT_RUN)
            verdict = CANNOT_RUN;
    }
    return verdict;
}

static void discharge(struct patient *patient)
{
    weir_options_free(patient->runtime.default_connect);
    weir_options_free(patient->runtime.default_listen);
    inet_config_free(patient->runtime.naming.inet);
}

int doctor_run(int argc, char **argv)
{
    if (argc > 1)
        return command_misused("doctor", "takes no arguments, but was given '%s'", argv[1]);
    struct patient patient = {.kernel = machine_kernel()};
    if (runtime_configure(&patient.runtime, NULL) < 0) {
        (void)command_misused("doctor", "in the environment: %s", weir_last_error_text());
        return EXIT_FAILURE;
    }
    printf("weir %s on Linux %s\n\n", weir_version(), patient.kernel);
    enum verdict verdict = run_checks(&patient);
    discharge(&patient);
    puts(verdict == CAN_RUN ? "\nThis machine can run weir." : "\nThis machine cannot run weir.");
    return verdict == CAN_RUN ? EXIT_SUCCESS : EXIT_FAILURE;
}
