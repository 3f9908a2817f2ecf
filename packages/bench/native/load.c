/*
 * The load generator: N connections, one call in flight on each. It speaks to the echo server ("seqpacket"), to any
 * server that echoes a stream ("stream") and to memsvc ("memsvc": setValue). Task "load" measures, "open" opens N more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common.h"
#include "memsvc.h"
#include "programs.h"

#define BATCH 64
#define MAX_CONNECTIONS 16384

enum protocol { SEQPACKET, STREAM, MEMSVC };

static enum protocol protocol;
static const char *path;
static int connections[MAX_CONNECTIONS], opened, step, registry = -1, epoll;
static struct packet set_value;

static int open_connection(void) {
    if (protocol == STREAM) return connect_to(SOCK_STREAM, path);
    if (protocol == SEQPACKET) return connect_to(SOCK_SEQPACKET, path);
    if (registry < 0) registry = memsvc_connect(path);
    return memsvc_open_service(registry);
}

static void send_request(int fd) {
    static const char message[MESSAGE_BYTES];
    static int32_t value;
    if (protocol == MEMSVC) {
        memsvc_change_value(&set_value, ++value);
        send_all(fd, set_value.bytes, set_value.size);
    } else {
        send_all(fd, message, sizeof message);
    }
}

static void take_answer(int fd) {
    unsigned char bytes[MEMSVC_PACKET_BYTES];
    long size = check(recv(fd, bytes, sizeof bytes, 0), "recv");
    if (protocol == MEMSVC) memsvc_check_reply(bytes, size);
    else if (size != MESSAGE_BYTES) die("half an answer");
}

/* Each connection answers once: a server that does not is found here, before anything is timed. */
static void open_more(int count) {
    for (int i = 0; i < count; i++) {
        if (opened == MAX_CONNECTIONS) die("too many connections");
        int fd = open_connection();
        watch_input(epoll, fd);
        send_request(fd);
        take_answer(fd);
        connections[opened++] = fd;
    }
}

static void load(double milliseconds) {
    struct epoll_event events[BATCH];
    uint64_t start = now_ns(), end = start + (uint64_t)(milliseconds * 1e6);
    uint64_t answered = 0;
    int in_flight = opened, is_over = 0;
    for (int i = 0; i < opened; i++) send_request(connections[i]);
    while (in_flight > 0) {
        int count = (int)check(epoll_wait(epoll, events, BATCH, -1), "epoll_wait");
        is_over = is_over || now_ns() >= end;
        answered += (uint64_t)count;
        for (int i = 0; i < count; i++) {
            take_answer(events[i].data.fd);
            if (is_over) in_flight--;
            else send_request(events[i].data.fd);
        }
    }
    printf("{\"rate\":%.1f}\n", (double)answered * 1e9 / (double)(now_ns() - start));
}

static void sample(const char *task, double milliseconds) {
    if (strcmp(task, "load") == 0) {
        load(milliseconds);
    } else {
        open_more(step);
        printf("{\"connections\":%d}\n", opened);
    }
}

int load_generator(char **args) {
    struct rlimit limit = {MAX_CONNECTIONS + 64, MAX_CONNECTIONS + 64};
    path = args[0];
    protocol = strcmp(args[1], "memsvc") == 0 ? MEMSVC : strcmp(args[1], "stream") == 0 ? STREAM : SEQPACKET;
    step = atoi(args[2]);
    setrlimit(RLIMIT_NOFILE, &limit);
    epoll = (int)check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    memsvc_make_set_value(&set_value, 0);
    open_more(step);
    serve_samples(sample);
    return 0;
}
