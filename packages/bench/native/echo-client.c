/* Clients of the echo server. "set": one message in flight. "pipelined": 64. "packed": 64 in one packet, one packet in flight. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common.h"
#include "programs.h"

#define IN_FLIGHT 64

static int server;

static void round_trip(char *message, size_t size) {
    static char answer[MESSAGE_BYTES * IN_FLIGHT];
    send_all(server, message, size);
    if (check(recv(server, answer, sizeof answer, 0), "recv") != (long)size) die("half an answer");
    if (memcmp(message, answer, size) != 0) die("another answer");
}

static void sample_round_trips(uint64_t end) {
    static struct durations durations;
    char message[MESSAGE_BYTES] = {0};
    for (uint64_t start = now_ns(), done; start < end; start = done) {
        message[0]++;
        round_trip(message, sizeof message);
        done = now_ns();
        durations_add(&durations, done - start);
    }
    durations_print(&durations);
}

static void print_rate(uint64_t count, uint64_t start) {
    printf("{\"rate\":%.1f}\n", (double)count * 1e9 / (double)(now_ns() - start));
}

static void sample_pipelined(uint64_t start, uint64_t end) {
    char message[MESSAGE_BYTES] = {0}, answer[MESSAGE_BYTES];
    uint64_t sent = 0, received = 0;
    for (; sent < IN_FLIGHT; sent++) send_all(server, message, sizeof message);
    while (received < sent) {
        if (check(recv(server, answer, sizeof answer, 0), "recv") != MESSAGE_BYTES) die("half an answer");
        received++;
        if (now_ns() >= end) continue;
        send_all(server, message, sizeof message);
        sent++;
    }
    print_rate(received, start);
}

static void sample_packed(uint64_t start, uint64_t end) {
    char message[MESSAGE_BYTES * IN_FLIGHT] = {0};
    uint64_t count = 0;
    for (; now_ns() < end; count += IN_FLIGHT) round_trip(message, sizeof message);
    print_rate(count, start);
}

static void sample(const char *task, double milliseconds) {
    uint64_t start = now_ns(), end = start + (uint64_t)(milliseconds * 1e6);
    if (strcmp(task, "set") == 0) sample_round_trips(end);
    else if (strcmp(task, "pipelined") == 0) sample_pipelined(start, end);
    else sample_packed(start, end);
}

int echo_client(char **args) {
    server = connect_to(SOCK_SEQPACKET, args[0]);
    serve_samples(sample);
    return 0;
}
