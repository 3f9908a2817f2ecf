/*
 * A value in parts, as bare as it can be: the client sends it in packets as large as those of memsvc, the server receives each straight into
 * its place in a shared region, and says one word when all are there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "programs.h"

#define PART 65408

static size_t size;
static char *region;

static void receive_parts(int fd) {
    static size_t received;
    for (;;) {
        long count = recv(fd, region + received, size - received, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            close(fd);
            return;
        }
        received += (size_t)count;
        if (received < size) continue;
        received = 0;
        send_all(fd, "done", 4);
    }
}

int upload_server(char **args) {
    size = (size_t)atoll(args[1]);
    int memory = (int)check(memfd_create("bench", MFD_CLOEXEC), "memfd_create");
    check(ftruncate(memory, (off_t)size), "ftruncate");
    region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (region == MAP_FAILED) die("mmap");
    memset(region, 1, size);
    serve_connections(SOCK_SEQPACKET, args[0], receive_parts, NULL);
}

static int server;
static char *value;

static void sample(const char *task, double milliseconds) {
    static struct durations durations;
    uint64_t end = now_ns() + (uint64_t)(milliseconds * 1e6);
    (void)task;
    for (uint64_t start = now_ns(), done; start < end; start = done) {
        char answer[16];
        for (size_t at = 0; at < size; at += PART) send_all(server, value + at, size - at < PART ? size - at : PART);
        check(recv(server, answer, sizeof answer, 0), "recv");
        done = now_ns();
        durations_add(&durations, done - start);
    }
    durations_print(&durations);
}

int upload_client(char **args) {
    server = connect_to(SOCK_SEQPACKET, args[0]);
    size = (size_t)atoll(args[1]);
    value = malloc(size);
    if (value == NULL) die("malloc");
    memset(value, 7, size);
    serve_samples(sample);
    return 0;
}
