/* The programs of this binary; what each does is told in its file. `args` are the words after its name. */
#ifndef MEMSVC_BENCH_PROGRAMS_H
#define MEMSVC_BENCH_PROGRAMS_H

int echo_server(char **args);    /* PATH seqpacket|stream one|drain */
int echo_client(char **args);    /* PATH */
int load_generator(char **args); /* PATH seqpacket|stream|memsvc CONNECTIONS */
int attach_server(char **args);  /* PATH */
int attach_client(char **args);  /* PATH */
int memory(char **args);         /* BYTES */
int notice_server(char **args);  /* PATH */
int notice_setter(char **args);  /* PATH PAUSE-IN-MS */
int notice_watcher(char **args); /* PATH WATCHERS */
int readers(char **args);        /* REGISTRY COUNT */
int fan_out(char **args);        /* COUNT */
int upload_server(char **args);  /* PATH BYTES */
int upload_client(char **args);  /* PATH BYTES */
int spawn(char **args);          /* COMMAND WORD ... */

#endif
