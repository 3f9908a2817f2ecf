/*
 * Servers: every packet or chunk goes back as it came, on any number of connections. "one": one message per connection
 * and wake-up, what is quickest with one call in flight; "drain": all there are, what is quickest with many.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "programs.h"

static bool drain;

static void echo(int fd) {
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
    drain = strcmp(args[2], "drain") == 0;
    serve_connections(strcmp(args[1], "stream") == 0 ? SOCK_STREAM : SOCK_SEQPACKET, args[0], echo, NULL);
}
