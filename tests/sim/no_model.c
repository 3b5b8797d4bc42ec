/* SPDX-License-Identifier: MIT */
/* Nothing is checked: for measuring. */
#include "sim/alarms.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/process.h"
#include "sim/proxy.h"
#include "sim/rights.h"
#include "sim/turns.h"
#include "sim/udp_connect.h"
#include "sim/udp_model.h"

void model_link_created(uint32_t link)
{
    (void)link;
}

void model_link_reset(uint32_t link)
{
    (void)link;
}

bool model_link_over(uint32_t link)
{
    (void)link;
    return true;
}

struct conn *model_conn(uint32_t link)
{
    (void)link;
    return NULL;
}

struct stream *model_socket(const struct conn *conn)
{
    (void)conn;
    return NULL;
}

void model_file_closed(uint32_t link, bool abort)
{
    (void)link;
    (void)abort;
}

void model_kernel_takes(uint32_t link, const uint8_t *bytes, size_t size)
{
    (void)bytes;
    links[link].out_taken += (uint32_t)size;
}

void model_send_failed(uint32_t link)
{
    (void)link;
}

void model_shut_down(uint32_t link)
{
    (void)link;
}

void model_check_asleep(void)
{
}

void turns_end(const struct scheduler *scheduler, bool sleeps)
{
    (void)scheduler;
    (void)sleeps;
}

void turns_progress(void)
{
}

void model_check_woken(const struct scheduler *scheduler, bool for_ever)
{
    (void)scheduler;
    (void)for_ever;
}

void process_check_asleep(void)
{
}

void model_check_idle(void)
{
}

void model_received_by_call(uint32_t link)
{
    (void)link;
}

void rights_plan(uint32_t link)
{
    (void)link;
}

uint32_t rights_limit(uint32_t link, uint32_t size)
{
    (void)link;
    return size;
}

void rights_give(uint32_t link, uint32_t from, struct msghdr *message)
{
    (void)link;
    (void)from;
    (void)message;
}

void rights_taken(uint32_t link, const int *descriptors, uint32_t count)
{
    (void)link;
    (void)descriptors;
    (void)count;
}

void alarms_check_asleep(void)
{
}

void udp_model_opened(uint32_t index)
{
    (void)index;
}

void udp_model_closed(uint32_t index)
{
    (void)index;
}

void udp_model_given(uint32_t index, const struct udp_arrival *arrival, uint32_t filled)
{
    (void)index;
    (void)arrival;
    (void)filled;
}

void udp_model_given_run(uint32_t index, bool is_told, bool is_whole)
{
    (void)index;
    (void)is_told;
    (void)is_whole;
}

void udp_model_sent(uint32_t index, const struct msghdr *message, uint32_t segment, int result)
{
    (void)index;
    (void)message;
    (void)segment;
    (void)result;
}

void udp_model_receive_failed(uint32_t index, int error)
{
    (void)index;
    (void)error;
}

void udp_connect_asked(uint32_t index, uint32_t peer, int result)
{
    (void)index;
    (void)peer;
    (void)result;
}

void proxy_plan(uint32_t link)
{
    (void)link;
}

void proxy_file_closed(uint32_t link)
{
    (void)link;
}

void proxy_check_asleep(void)
{
}
