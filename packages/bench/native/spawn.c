/* Runs a command, its output thrown away, and waits for it: what a process costs as a whole. */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "programs.h"

extern char **environ;

static char **command;
static posix_spawn_file_actions_t silence;

static void run(void) {
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, command[0], &silence, NULL, command, environ) != 0) die(command[0]);
    check(waitpid(pid, &status, 0), "waitpid");
    if (status != 0) die("the command failed");
}

static void sample(const char *task, double milliseconds) {
    static struct durations durations;
    uint64_t end = now_ns() + (uint64_t)(milliseconds * 1e6);
    (void)task;
    for (uint64_t start = now_ns(), done; start < end; start = done) {
        run();
        done = now_ns();
        durations_add(&durations, done - start);
    }
    durations_print(&durations);
}

int spawn(char **args) {
    command = args;
    posix_spawn_file_actions_init(&silence);
    posix_spawn_file_actions_addopen(&silence, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&silence, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    run();
    serve_samples(sample);
    return 0;
}
