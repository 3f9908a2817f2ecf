#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

_Noreturn void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

long check(long result, const char *what) {
    if (result < 0) die(what);
    return result;
}

uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void serve_samples(sample_fn *sample) {
    char line[128], task[64];
    double milliseconds;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "%63s %lf", task, &milliseconds) != 2) die(line);
        sample(task, milliseconds);
        fflush(stdout);
    }
}

void durations_add(struct durations *d, uint64_t ns) {
    if (d->count == d->room) {
        d->room = d->room == 0 ? 1 << 16 : 2 * d->room;
        d->ns = realloc(d->ns, d->room * sizeof *d->ns);
        if (d->ns == NULL) die("realloc");
    }
    d->ns[d->count++] = ns;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void durations_print(struct durations *d) {
    if (d->count == 0) die("no durations");
    qsort(d->ns, d->count, sizeof *d->ns, compare);
    printf("{\"p50\":%.3f,\"p99\":%.3f}\n", (double)d->ns[d->count / 2] / 1e3, (double)d->ns[d->count * 99 / 100] / 1e3);
    d->count = 0;
}

void watch_input(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) die(path);
    strcpy(address.sun_path, path);
    return address;
}

static int listen_at(int type, const char *path) {
    struct sockaddr_un address = address_of(path);
    int fd = (int)check(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");
    check(bind(fd, (struct sockaddr *)&address, sizeof address), path);
    check(listen(fd, 4096), "listen");
    return fd;
}

static int accept_from(int listener) {
    return (int)check(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept4");
}

void serve_connections(int type, const char *path, connection_fn *on_input, connection_fn *on_connection) {
    int listener = listen_at(type, path), epoll = (int)check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event events[BATCH];
    watch_input(epoll, listener);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int count = (int)check(epoll_wait(epoll, events, BATCH, -1), "epoll_wait");
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) {
                on_input(fd);
                continue;
            }
            fd = accept_from(listener);
            watch_input(epoll, fd);
            if (on_connection != NULL) on_connection(fd);
        }
    }
}

int connect_to(int type, const char *path) {
    struct sockaddr_un address = address_of(path);
    int fd = (int)check(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");
    check(connect(fd, (struct sockaddr *)&address, sizeof address), path);
    return fd;
}

void send_all(int fd, const void *bytes, size_t size) {
    if (check(send(fd, bytes, size, MSG_NOSIGNAL), "send") != (long)size) die("half a message was sent");
}

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

void send_with_fd(int fd, const void *bytes, size_t size, int passed) {
    union control control = {0};
    struct iovec part = {(void *)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.align), &passed, sizeof passed);
    }
    check(sendmsg(fd, &message, MSG_NOSIGNAL), "sendmsg");
}

size_t receive_with_fd(int fd, void *bytes, size_t room, int *passed) {
    union control control;
    struct iovec part = {bytes, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    long size = check(recvmsg(fd, &message, MSG_CMSG_CLOEXEC), "recvmsg");
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *passed = -1;
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) memcpy(passed, CMSG_DATA(header), sizeof *passed);
    return (size_t)size;
}
