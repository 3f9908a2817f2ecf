/* The machine's limit: the same work as the benchmarks of memsvc, with nothing around it. */
#include <stdio.h>
#include <string.h>

#include "programs.h"

#define ANY (-1)

static const struct {
    const char *name;
    int (*run)(char **args);
    int words;
} programs[] = {
    {"echo-server", echo_server, 3},       {"echo-client", echo_client, 1},     {"load", load_generator, 3},
    {"attach-server", attach_server, 1},   {"attach-client", attach_client, 1}, {"memory", memory, 1},
    {"notice-server", notice_server, 1},   {"notice-setter", notice_setter, 2}, {"notice-watcher", notice_watcher, 2},
    {"readers", readers, 2},               {"fan-out", fan_out, 1},             {"spawn", spawn, ANY},
    {"upload-server", upload_server, 2},   {"upload-client", upload_client, 2},
};

int main(int count, char **words) {
    for (size_t i = 0; count > 2 && i < sizeof programs / sizeof *programs; i++) {
        if (strcmp(words[1], programs[i].name) != 0) continue;
        if (programs[i].words == ANY || programs[i].words == count - 2) return programs[i].run(words + 2);
    }
    fprintf(stderr, "no such program, or not its words\n");
    return 2;
}
