/*
 * Change and notice, as bare as they can be. The server acknowledges every message to its sender and sends it on to all
 * connections that have said 'w'. A message begins with a character, and carries the time it was sent at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "programs.h"

#define BATCH 64
#define MAX_WATCHERS 1024

struct message {
    char kind[8];
    uint64_t time;
};

static int watchers[MAX_WATCHERS], watcher_count;

static void serve(int fd) {
    struct message message;
    if (recv(fd, &message, sizeof message, 0) != sizeof message) {
        close(fd);
        return;
    }
    if (message.kind[0] == 'w') watchers[watcher_count++ % MAX_WATCHERS] = fd;
    else for (int i = 0; i < watcher_count; i++) send_all(watchers[i], &message, sizeof message);
    send_all(fd, &message, sizeof message);
}

int notice_server(char **args) {
    serve_connections(SOCK_SEQPACKET, args[0], serve, NULL);
}

static int server, pause_us;

static void call(int fd, char kind) {
    struct message message = {.kind = {kind}, .time = now_ns()};
    send_all(fd, &message, sizeof message);
    if (check(recv(fd, &message, sizeof message, 0), "recv") != sizeof message) die("half an answer");
}

static void sample_sets(const char *task, double milliseconds) {
    uint64_t end = now_ns() + (uint64_t)(milliseconds * 1e6), count = 0;
    (void)task;
    for (; now_ns() < end; count++) {
        struct timespec pause = {pause_us / 1000000, pause_us % 1000000 * 1000L};
        call(server, 's');
        nanosleep(&pause, NULL);
    }
    printf("{\"count\":%lu}\n", (unsigned long)count);
}

int notice_setter(char **args) {
    server = connect_to(SOCK_SEQPACKET, args[0]);
    pause_us = atoi(args[1]) * 1000;
    serve_samples(sample_sets);
    return 0;
}

static int epoll, own_count;

/* From sending a message to the last of all watchers having it. */
static void sample_notices(const char *task, double milliseconds) {
    static struct durations durations;
    uint64_t end = now_ns() + (uint64_t)(milliseconds * 1e6);
    struct epoll_event events[BATCH];
    int pending = own_count;
    (void)task;
    while (now_ns() < end) {
        int count = (int)check(epoll_wait(epoll, events, BATCH, 10), "epoll_wait");
        for (int i = 0; i < count; i++) {
            struct message message;
            check(recv(events[i].data.fd, &message, sizeof message, 0), "recv");
            if (--pending > 0) continue;
            durations_add(&durations, now_ns() - message.time);
            pending = own_count;
        }
    }
    durations_print(&durations);
}

int notice_watcher(char **args) {
    own_count = atoi(args[1]);
    epoll = (int)check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    for (int i = 0; i < own_count; i++) {
        int fd = connect_to(SOCK_SEQPACKET, args[0]);
        call(fd, 'w');
        watch_input(epoll, fd);
    }
    serve_samples(sample_notices);
    return 0;
}
