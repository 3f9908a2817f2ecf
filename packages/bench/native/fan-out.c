/* One packet to each of N connected sockets: as many calls of send(2), and nothing else is timed. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common.h"
#include "programs.h"

#define NOTICE_BYTES 92 /* as a notice of memsvc */

static int count, (*pairs)[2];

static void sample(const char *task, double milliseconds) {
    static struct durations durations;
    static char notice[NOTICE_BYTES];
    (void)task;
    for (uint64_t end = now_ns() + (uint64_t)(milliseconds * 1e6); now_ns() < end;) {
        for (int i = 0; i < count; i++) check(recv(pairs[i][1], notice, sizeof notice, 0), "recv");
        uint64_t start = now_ns();
        for (int i = 0; i < count; i++) check(send(pairs[i][0], notice, sizeof notice, MSG_DONTWAIT | MSG_NOSIGNAL), "send");
        durations_add(&durations, now_ns() - start);
    }
    durations_print(&durations);
}

int fan_out(char **args) {
    static char first[NOTICE_BYTES];
    count = atoi(args[0]);
    pairs = calloc((size_t)count, sizeof *pairs);
    for (int i = 0; i < count; i++) {
        check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[i]), "socketpair");
        check(send(pairs[i][0], first, sizeof first, 0), "send");
    }
    serve_samples(sample);
    return 0;
}
