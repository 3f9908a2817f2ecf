/*
 * The server hands every connection a descriptor of one sealed region at once; on a connection that stays, one per packet
 * that comes. The client's tasks: "attach" is connect, receive the descriptor, map, read, and let go; "hand-over" is one
 * descriptor asked for, received and closed on an open connection.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "programs.h"

#define REGION_BYTES 4
#define VALUE 42

static int make_region(void) {
    int fd = (int)check(memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
    check(ftruncate(fd, REGION_BYTES), "ftruncate");
    int *word = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (word == MAP_FAILED) die("mmap");
    *word = VALUE;
    check(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL), "fcntl");
    return fd;
}

static int region;

/* A description of its own for each reader, as the daemon makes one. */
static void hand_over(int connection) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", region);
    int fd = (int)check(open(path, O_RDONLY | O_CLOEXEC), "open");
    send_with_fd(connection, "fd", 2, fd);
    close(fd);
}

static void answer(int connection) {
    char request[MESSAGE_BYTES];
    if (recv(connection, request, sizeof request, 0) > 0) hand_over(connection);
    else close(connection);
}

int attach_server(char **args) {
    region = make_region();
    serve_connections(SOCK_SEQPACKET, args[0], answer, hand_over);
}

static const char *server;
static int connection;

static int receive_region(int from) {
    char bytes[MESSAGE_BYTES];
    int fd;
    receive_with_fd(from, bytes, sizeof bytes, &fd);
    if (fd < 0) die("no descriptor came");
    return fd;
}

static uint64_t attach(void) {
    uint64_t start = now_ns();
    int socket = connect_to(SOCK_SEQPACKET, server), fd = receive_region(socket);
    volatile int *word = mmap(NULL, REGION_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    if (word == MAP_FAILED || *word != VALUE) die("mmap");
    uint64_t taken = now_ns() - start;
    munmap((void *)word, REGION_BYTES);
    close(fd);
    close(socket);
    return taken;
}

static uint64_t take_descriptor(void) {
    uint64_t start = now_ns();
    send_all(connection, "?", 1);
    close(receive_region(connection));
    return now_ns() - start;
}

static void sample(const char *task, double milliseconds) {
    static struct durations durations;
    uint64_t end = now_ns() + (uint64_t)(milliseconds * 1e6);
    uint64_t (*operation)(void) = strcmp(task, "attach") == 0 ? attach : take_descriptor;
    while (now_ns() < end) durations_add(&durations, operation());
    durations_print(&durations);
}

int attach_client(char **args) {
    server = args[0];
    connection = connect_to(SOCK_SEQPACKET, server);
    close(receive_region(connection));
    serve_samples(sample);
    return 0;
}
