/*
 * Servers: every packet or chunk goes back as it came, on any number of connections. "one": one message per connection
 * and wake-up, what is quickest with one call in flight; "drain": all there are, what is quickest with many.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "programs.h"

#define BATCH 64

static void echo(int fd, bool drain) {
    static char bytes[1 << 18];
    do {
        long size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) {
            close(fd);
            return;
        }
        send_all(fd, bytes, (size_t)size);
    } while (drain);
}

int echo_server(char **args) {
    int listener = listen_at(strcmp(args[1], "stream") == 0 ? SOCK_STREAM : SOCK_SEQPACKET, args[0]);
    bool drain = strcmp(args[2], "drain") == 0;
    int epoll = (int)check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event events[BATCH];
    watch_input(epoll, listener);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int count = (int)check(epoll_wait(epoll, events, BATCH, -1), "epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) watch_input(epoll, (int)check(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept4"));
            else echo(events[i].data.fd, drain);
        }
    }
}
