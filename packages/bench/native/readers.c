/* N processes that have the region of a memory service mapped and have read it: each is one more reader that a write must not feel. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include "common.h"
#include "memsvc.h"
#include "programs.h"

static void map_and_stay(int region) {
    volatile int *word = mmap(NULL, sizeof *word, PROT_READ, MAP_SHARED, region, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (word == MAP_FAILED) die("mmap");
    (void)*word;
    for (;;) pause();
}

int readers(char **args) {
    int count = atoi(args[1]), registry = memsvc_connect(args[0]), service = memsvc_open_service(registry);
    for (int i = 0; i < count; i++) {
        int region = memsvc_get_region(service);
        if (check(fork(), "fork") == 0) map_and_stay(region);
        close(region);
    }
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
