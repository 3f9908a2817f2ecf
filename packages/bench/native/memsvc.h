/* The client's half of docs/protocol.md, as much as the baselines need. Calls block. */
#ifndef MEMSVC_BENCH_MEMSVC_H
#define MEMSVC_BENCH_MEMSVC_H

#include <stdint.h>

#include "common.h"

#define MEMSVC_PACKET_BYTES 512

/* A packet under construction. */
struct packet {
    unsigned char bytes[MEMSVC_PACKET_BYTES];
    uint32_t size;
};

/* Connects to the registry and says hello. */
int memsvc_connect(const char *registry);
/* A channel to the memory service, hello said. */
int memsvc_open_service(int registry);
/* A read-only descriptor of the service's region. */
int memsvc_get_region(int service);
void memsvc_make_set_value(struct packet *packet, int32_t value);
/* Changes the value in a packet that memsvc_make_set_value has made. */
void memsvc_change_value(struct packet *packet, int32_t value);
/* Dies unless the packet is a reply without exception. */
void memsvc_check_reply(const unsigned char *bytes, long size);

#endif
