/* Tasks on one mapped region of N bytes. "copy": memcpy out of it. "unmap": munmap and close, of a fresh mapping that was read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"
#include "programs.h"

#define COPIES_PER_CLOCK 64
/* Places that malloc(3) may answer, within a line of the cache. What a copy takes depends on them. */
#define PLACES 4
#define PLACE_BYTES 16

static size_t size;
static char *region, *copy;
static int region_fd;

static char *map(int fd, int protection) {
    char *address = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) die("mmap");
    return address;
}

static void sample_copies(uint64_t end) {
    uint64_t start = now_ns(), count = 0;
    while (now_ns() < end) {
        for (int i = 0; i < COPIES_PER_CLOCK; i++) {
            memcpy(copy + i % PLACES * PLACE_BYTES, region, size);
            /* The compiler may not drop a copy that nobody reads. */
            __asm__ volatile("" : : "r"(copy) : "memory");
        }
        count += COPIES_PER_CLOCK;
    }
    printf("{\"ns\":%.3f}\n", (double)(now_ns() - start) / (double)count);
}

/* A description of its own, as a reader gets one. */
static int reopen(int fd) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return (int)check(open(path, O_RDONLY | O_CLOEXEC), "open");
}

static void sample_unmaps(uint64_t end) {
    static struct durations durations;
    while (now_ns() < end) {
        int fd = reopen(region_fd);
        char *address = map(fd, PROT_READ);
        memcpy(copy, address, size);
        uint64_t start = now_ns();
        munmap(address, size);
        close(fd);
        durations_add(&durations, now_ns() - start);
    }
    durations_print(&durations);
}

static void sample(const char *task, double milliseconds) {
    uint64_t end = now_ns() + (uint64_t)(milliseconds * 1e6);
    if (strcmp(task, "copy") == 0) sample_copies(end);
    else sample_unmaps(end);
}

int memory(char **args) {
    size = (size_t)atoll(args[0]);
    region_fd = (int)check(memfd_create("bench", MFD_CLOEXEC), "memfd_create");
    check(ftruncate(region_fd, (off_t)size), "ftruncate");
    region = map(region_fd, PROT_READ | PROT_WRITE);
    memset(region, 1, size);
    copy = malloc(size + (PLACES - 1) * PLACE_BYTES);
    if (copy == NULL) die("malloc");
    serve_samples(sample);
    return 0;
}
