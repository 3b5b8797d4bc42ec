/* SPDX-License-Identifier: MIT */
#include "load/traffic.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CONNECTING_MAX = 128 };

static const uint64_t tick_most_ns = 10000000;
static const uint64_t tick_least_ns = 200000;
static const uint64_t slice_ns = 100000000;
static const uint64_t warm_up_most_ns = UINT64_C(10000000000);

static bool is_sending(const struct traffic *traffic)
{
    return traffic->phase == TRAFFIC_WARMING || traffic->phase == TRAFFIC_MEASURING;
}

static bool is_counting(const struct traffic *traffic)
{
    return traffic->phase == TRAFFIC_MEASURING || traffic->phase == TRAFFIC_DRAINING;
}

static uint32_t draw_size(struct traffic *traffic)
{
    const struct plan *plan = traffic->plan;
    uint32_t span = plan->size_max - plan->size_min + 1;
    return plan->size_min + (span > 1 ? (uint32_t)(arrivals_draw(&traffic->size_dice) % span) : 0);
}

static uint64_t phase_end_ns(const struct traffic *traffic)
{
    return traffic->phase_begin_ns + traffic->plan->duration_ns;
}

/* Whether one that is planned then is still of this phase; if not, the phase is over. */
static bool may_plan(const struct traffic *traffic, uint64_t planned_ns)
{
    if (traffic->phase != TRAFFIC_MEASURING)
        return true;
    if (traffic->plan->count > 0)
        return traffic->planned_count < traffic->plan->count;
    return planned_ns < phase_end_ns(traffic);
}

static void count_planned(struct traffic *traffic)
{
    if (traffic->phase != TRAFFIC_MEASURING)
        return;
    traffic->planned_count++;
    traffic->pending_count++;
}

/* A connection that had room gets it. */
static void send_on(struct traffic *traffic, struct connection *connection, uint64_t planned_ns,
                    uint64_t now_ns)
{
    struct request request = {
        .planned_ns = planned_ns,
        .sent_ns = now_ns,
        .size = draw_size(traffic),
        .is_measured = traffic->phase == TRAFFIC_MEASURING,
    };
    uint64_t could_ns = connection->ready_ns > planned_ns ? connection->ready_ns : planned_ns;
    count_planned(traffic);
    if (request.is_measured)
        histogram_add(&traffic->results->lag, now_ns - could_ns, 1);
    if (traffic->plan->is_open_loop && connection->count + 1 < traffic->plan->depth)
        list_append(&traffic->with_room, &connection->link);
    connection_request(connection, &request);
}

static void begin_draining(struct traffic *traffic)
{
    traffic->phase = TRAFFIC_DRAINING;
}

static void plan_next(struct traffic *traffic)
{
    traffic->next_ns = traffic->arrivals_begin_ns + arrivals_next(&traffic->arrivals);
    if (!may_plan(traffic, traffic->next_ns))
        begin_draining(traffic);
}

/* Nobody had room for it until its time was up. */
static void give_up(struct traffic *traffic, uint64_t now_ns)
{
    count_planned(traffic);
    if (traffic->phase == TRAFFIC_MEASURING) {
        traffic->pending_count--;
        results_add(traffic->results, OUTCOME_UNSENT, now_ns - traffic->next_ns);
    }
    plan_next(traffic);
}

static void send_planned(struct traffic *traffic, uint64_t now_ns)
{
    while (is_sending(traffic) && traffic->next_ns <= now_ns) {
        struct list *link = list_take(&traffic->with_room);
        if (link) {
            uint64_t planned_ns = traffic->next_ns;
            send_on(traffic, list_entry(link, struct connection, link), planned_ns, now_ns);
            plan_next(traffic);
            now_ns = clock_now_ns();
        } else if (now_ns >= traffic->next_ns + traffic->plan->timeout_ns) {
            give_up(traffic, now_ns);
        } else {
            return;
        }
    }
}

static uint64_t next_due_ns(const struct traffic *traffic)
{
    uint64_t due_ns = traffic->tick_ns;
    const struct plan *plan = traffic->plan;
    /* One that waits for a connection with room is sent when there is one. */
    if (plan->is_open_loop && is_sending(traffic) && traffic->next_ns < due_ns &&
        !list_is_empty(&traffic->with_room))
        due_ns = traffic->next_ns;
    if (!list_is_empty(&traffic->thinking)) {
        uint64_t ready_ns = list_entry(traffic->thinking.next, struct connection, link)->ready_ns;
        if (ready_ns < due_ns)
            due_ns = ready_ns;
    }
    return due_ns;
}

static void turn_by_post(void *data);

/* Sees to it that there is a turn when something is due next: at once and again and again shortly
 * before, else by the alarm. One turn that was posted is enough. */
static void arm(struct traffic *traffic)
{
    uint64_t due_ns = next_due_ns(traffic);
    if (traffic->is_posted)
        return;
    if (due_ns <= clock_now_ns() + ALARM_EARLY_NS) {
        traffic->is_posted = weir_run_on(traffic->runtime, 0, turn_by_post, traffic) == 0;
        if (traffic->is_posted)
            return;
    }
    if (due_ns < traffic->armed_ns) {
        traffic->armed_ns = due_ns;
        alarm_set(&traffic->alarm, due_ns);
    }
}

static void send_at_once(struct connection *connection, uint64_t now_ns)
{
    struct traffic *traffic = connection->traffic;
    if (!is_sending(traffic))
        return;
    connection->ready_ns = now_ns;
    if (may_plan(traffic, now_ns))
        send_on(traffic, connection, now_ns, now_ns);
    else
        begin_draining(traffic);
}

/* All that it has room for. */
static void fill(struct connection *connection, uint64_t now_ns)
{
    const struct plan *plan = connection->traffic->plan;
    if (plan->is_open_loop) {
        traffic_has_room(connection, now_ns);
        return;
    }
    for (uint32_t i = connection->count; i < plan->depth; i++)
        if (connection->state == CONNECTION_OPEN || (plan->churn && connection->count == 0))
            send_at_once(connection, now_ns);
}

/* Of a closed loop: those that have thought for long enough. */
static void send_thought(struct traffic *traffic, uint64_t now_ns)
{
    while (!list_is_empty(&traffic->thinking)) {
        struct connection *connection = list_entry(traffic->thinking.next, struct connection, link);
        if (connection->ready_ns > now_ns)
            return;
        list_remove(&connection->link);
        fill(connection, now_ns);
    }
}

void traffic_has_room(struct connection *connection, uint64_t now_ns)
{
    struct traffic *traffic = connection->traffic;
    const struct plan *plan = traffic->plan;
    if (!is_sending(traffic) || !list_is_empty(&connection->link))
        return;
    if (!plan->is_open_loop && plan->think_ns == 0) {
        send_at_once(connection, now_ns);
        return;
    }
    connection->ready_ns = now_ns + plan->think_ns;
    list_append(plan->is_open_loop ? &traffic->with_room : &traffic->thinking, &connection->link);
    if (plan->is_open_loop)
        send_planned(traffic, now_ns);
    arm(traffic);
}

static void note_failure(struct traffic *traffic, int error)
{
    struct results *results = traffic->results;
    const char *text = weir_last_error_text();
    results->connect_failures++;
    snprintf(results->connect_error, sizeof(results->connect_error), "%s",
             *text ? text : weir_error_text(error));
    traffic->error = error;
}

void traffic_not_opened(struct connection *connection, int error)
{
    struct traffic *traffic = connection->traffic;
    traffic->connecting_count--;
    if (traffic->phase == TRAFFIC_OVER)
        return;
    note_failure(traffic, error);
    list_append(&traffic->down, &connection->link);
}

void traffic_is_down(struct connection *connection)
{
    struct traffic *traffic = connection->traffic;
    traffic->open_count--;
    list_remove(&connection->link);
    if (traffic->phase == TRAFFIC_OVER)
        return;
    if (traffic->plan->churn && is_sending(traffic))
        traffic_has_room(connection, clock_now_ns());
    else if (is_sending(traffic))
        connection_open(connection);
    else
        list_append(&traffic->down, &connection->link);
}

void traffic_opened(struct connection *connection)
{
    struct traffic *traffic = connection->traffic;
    traffic->connecting_count--;
    traffic->open_count++;
    traffic->results->connects++;
    if (is_sending(traffic) && !traffic->plan->churn)
        fill(connection, clock_now_ns());
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void traffic_done(struct connection *connection, const struct request *request,
                  enum outcome outcome, uint64_t now_ns)
{
    struct traffic *traffic = connection->traffic;
    struct results *results = traffic->results;
    const struct plan *plan = traffic->plan;
    uint64_t response_ns = now_ns - request->planned_ns;
    if (traffic->phase == TRAFFIC_WARMING)
        steady_add(&traffic->steady, response_ns);
    if (!request->is_measured || !is_counting(traffic))
        return;
    traffic->pending_count--;
    if (outcome == OUTCOME_OK)
        histogram_add(&results->service, now_ns - request->sent_ns, 1);
    else
        response_ns = later_of(response_ns, plan->timeout_ns);
    results_add(results, outcome, response_ns);
}

void traffic_queued(struct traffic *traffic, uint64_t received_ns)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    uint64_t waited_ns = now_ns > received_ns ? now_ns - received_ns : 0;
    if (is_counting(traffic))
        histogram_add(&traffic->results->queue, waited_ns, 1);
}

static void begin_phase(struct traffic *traffic, enum traffic_phase phase, uint64_t now_ns)
{
    struct arrivals_shape shape = traffic->plan->arrivals;
    if (phase == TRAFFIC_WARMING && shape.kind == ARRIVALS_RAMP) {
        shape.kind = ARRIVALS_CONSTANT;
        shape.rate = shape.from_rate > 1 ? shape.from_rate : 1;
    }
    traffic->phase = phase;
    traffic->phase_begin_ns = traffic->arrivals_begin_ns = now_ns;
    traffic->slice_end_ns = now_ns + slice_ns;
    if (!traffic->plan->is_open_loop)
        return;
    arrivals_begin(&traffic->arrivals, &shape);
    plan_next(traffic);
}

static void begin_measuring(struct traffic *traffic, uint64_t now_ns, bool is_steady)
{
    struct results *results = traffic->results;
    results_restart(results, now_ns);
    weir_get_totals(traffic->runtime, 0, &traffic->totals);
    results->has_server =
        traffic->plan->pid && process_sample(traffic->plan->pid, &results->server_begin);
    results->warm_up_ns = now_ns - traffic->phase_begin_ns;
    results->is_steady = is_steady;
    traffic->cpu_begin_ns = clock_thread_ns(pthread_self());
    begin_phase(traffic, TRAFFIC_MEASURING, now_ns);
}

static void begin_warming(struct traffic *traffic, uint64_t now_ns)
{
    if (traffic->plan->warm_up_ns == 0)
        begin_measuring(traffic, now_ns, false);
    else
        begin_phase(traffic, TRAFFIC_WARMING, now_ns);
    for (uint32_t i = 0; i < traffic->plan->connections; i++)
        fill(&traffic->connections[i], now_ns);
}

static void look_at_opening(struct traffic *traffic, uint64_t now_ns)
{
    bool is_late = now_ns >= traffic->phase_begin_ns + traffic->plan->timeout_ns;
    bool is_refused = traffic->results->connect_failures >= traffic->plan->connections;
    if (traffic->open_count == traffic->plan->connections)
        begin_warming(traffic, now_ns);
    else if ((is_late || is_refused) && traffic->open_count == 0)
        traffic->phase = TRAFFIC_OVER;
    else if (is_late)
        begin_warming(traffic, now_ns);
}

static void look_at_warming(struct traffic *traffic, uint64_t now_ns)
{
    const struct plan *plan = traffic->plan;
    uint64_t passed_ns = now_ns - traffic->phase_begin_ns;
    bool is_steady = false;
    if (plan->warm_up_ns != PLAN_UNTIL_STEADY) {
        if (passed_ns >= plan->warm_up_ns)
            begin_measuring(traffic, now_ns, false);
        return;
    }
    while (now_ns >= traffic->slice_end_ns) {
        traffic->slice_end_ns += slice_ns;
        is_steady = steady_end_slice(&traffic->steady);
    }
    if (is_steady || passed_ns >= warm_up_most_ns)
        begin_measuring(traffic, now_ns, is_steady);
}

static void look_at_measuring(struct traffic *traffic, uint64_t now_ns)
{
    results_tick(traffic->results, now_ns);
    if (!traffic->plan->is_open_loop && !may_plan(traffic, now_ns))
        begin_draining(traffic);
}

static void note_totals(struct traffic *traffic)
{
    const weir_totals *before = &traffic->totals;
    struct results *results = traffic->results;
    weir_totals now;
    weir_get_totals(traffic->runtime, 0, &now);
    results->bytes_sent = now.bytes_sent - before->bytes_sent;
    results->bytes_received += now.bytes_received - before->bytes_received;
    results->system_calls += now.system_calls - before->system_calls;
    if (results->has_server)
        results->has_server = process_sample(traffic->plan->pid, &results->server_end);
}

/* A duration is over when its last reply has come, which may be before its last second is. */
static uint64_t covered_ns(const struct traffic *traffic, uint64_t now_ns)
{
    bool is_whole = traffic->plan->count == 0 && !traffic->is_interrupted;
    return is_whole ? later_of(now_ns, phase_end_ns(traffic)) : now_ns;
}

static void finish(struct traffic *traffic, uint64_t now_ns)
{
    struct results *results = traffic->results;
    if (is_counting(traffic)) {
        results_tick(results, covered_ns(traffic, now_ns));
        results->end_ns = now_ns;
        note_totals(traffic);
        results->cpu_ns = clock_thread_ns(pthread_self()) - traffic->cpu_begin_ns;
    }
    results->is_interrupted = traffic->is_interrupted;
    traffic->phase = TRAFFIC_OVER;
}

static void look_at_draining(struct traffic *traffic, uint64_t now_ns)
{
    results_tick(traffic->results, now_ns);
    if (traffic->pending_count == 0)
        finish(traffic, now_ns);
}

static void (*const looks[])(struct traffic *traffic, uint64_t now_ns) = {
    [TRAFFIC_OPENING] = look_at_opening,
    [TRAFFIC_WARMING] = look_at_warming,
    [TRAFFIC_MEASURING] = look_at_measuring,
    [TRAFFIC_DRAINING] = look_at_draining,
};

static void open_down(struct traffic *traffic)
{
    struct list batch;
    list_init(&batch);
    list_move_all(&batch, &traffic->down);
    while (traffic->connecting_count < CONNECTING_MAX && !list_is_empty(&batch)) {
        struct connection *connection = list_entry(list_take(&batch), struct connection, link);
        if (traffic->plan->churn && is_sending(traffic))
            fill(connection, clock_now_ns());
        else
            connection_open(connection);
    }
    list_move_all(&traffic->down, &batch);
}

static void end_late(struct traffic *traffic, uint64_t now_ns)
{
    for (uint32_t i = 0; i < traffic->plan->connections; i++) {
        struct connection *connection = &traffic->connections[i];
        const struct request *oldest = connection_oldest(connection);
        if (oldest && now_ns >= oldest->planned_ns + traffic->plan->timeout_ns)
            connection_expire(connection, now_ns);
    }
}

/* A time-out is seen within half a percent of it. */
static uint64_t tick_of(const struct plan *plan)
{
    uint64_t tick = plan->timeout_ns / 200;
    tick = tick < tick_least_ns ? tick_least_ns : tick;
    return tick > tick_most_ns ? tick_most_ns : tick;
}

static void tick(struct traffic *traffic, uint64_t now_ns)
{
    traffic->tick_ns = now_ns + tick_of(traffic->plan);
    end_late(traffic, now_ns);
    open_down(traffic);
}

static void turn(struct traffic *traffic)
{
    uint64_t now_ns = clock_now_ns();
    if (traffic->phase == TRAFFIC_OVER)
        return;
    if (traffic->plan->is_open_loop)
        send_planned(traffic, now_ns);
    send_thought(traffic, now_ns);
    if (now_ns >= traffic->tick_ns)
        tick(traffic, now_ns);
    if (traffic->is_interrupted)
        finish(traffic, now_ns);
    else
        looks[traffic->phase](traffic, now_ns);
    if (traffic->phase == TRAFFIC_OVER)
        alarm_end(&traffic->alarm);
    else
        arm(traffic);
}

static void turn_by_post(void *data)
{
    struct traffic *traffic = data;
    traffic->is_posted = false;
    turn(traffic);
}

void traffic_turn(void *data)
{
    struct traffic *traffic = data;
    traffic->armed_ns = ALARM_NEVER;
    turn(traffic);
}

void traffic_interrupt(void *data)
{
    struct traffic *traffic = data;
    traffic->is_interrupted = true;
}
