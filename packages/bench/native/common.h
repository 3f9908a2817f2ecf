/*
 * What the baselines share: time, samples, sockets, descriptors, and the conversation with the bench.
 *
 * A program says "ready" and then answers every line "TASK MILLISECONDS" on stdin with one JSON object on stdout.
 * Whatever fails ends the program: a baseline has nobody to be polite to.
 */
#ifndef MEMSVC_BENCH_COMMON_H
#define MEMSVC_BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_BYTES 16 /* of a bare echo: what an int and an acknowledgement need, and room */

_Noreturn void die(const char *what);
/* `result` unless it is negative. */
long check(long result, const char *what);

uint64_t now_ns(void);

/* Answers every line of stdin by `sample`, which prints one JSON object, until end-of-file. */
typedef void sample_fn(const char *task, double milliseconds);
void serve_samples(sample_fn *sample);

/* Durations of single operations. */
struct durations {
    uint64_t *ns;
    size_t count, room;
};
void durations_add(struct durations *d, uint64_t ns);
/* Prints {"p50":..,"p99":..}, in microseconds, and empties it. */
void durations_print(struct durations *d);

/* Adds `fd` to an epoll set, to be told when it is readable. */
void watch_input(int epoll, int fd);
/*
 * Listens at `path`, says "ready", and serves for ever: `on_input` for each connection that is readable or has ended, and
 * closes that; `on_connection`, where there is one, for each that is new.
 */
typedef void connection_fn(int fd);
_Noreturn void serve_connections(int type, const char *path, connection_fn *on_input, connection_fn *on_connection);
int connect_to(int type, const char *path);
void send_all(int fd, const void *bytes, size_t size);
/* `fd` < 0: none. */
void send_with_fd(int fd, const void *bytes, size_t size, int passed);
/* Answers the size; `*passed` is -1 where no descriptor came. */
size_t receive_with_fd(int fd, void *bytes, size_t room, int *passed);

#endif
