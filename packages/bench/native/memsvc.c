#include "memsvc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER_BYTES 32
#define KIND_HELLO 1
#define KIND_TRANSACTION 2
#define KIND_REPLY 3
#define SYST 0x53595354u

#define REGISTRY "memsvc.IServiceManager"
#define SERVICE "AnonymousSharedMemory"
#define MEMORY_SERVICE "shy.luo.ashmem.IMemoryService"

/* Integers are little-endian; so is every machine this has been run on. */
static void put(struct packet *p, uint32_t value) {
    memcpy(p->bytes + p->size, &value, sizeof value);
    p->size += sizeof value;
}

static void put_string16(struct packet *p, const char *ascii) {
    uint32_t units = (uint32_t)strlen(ascii), end = p->size + 4 + ((units + 1) * 2 + 3) / 4 * 4;
    put(p, units);
    for (uint32_t i = 0; i < units; i++) p->bytes[p->size + 2 * i] = (unsigned char)ascii[i];
    p->size = end;
}

static void begin(struct packet *p, int kind, uint32_t id, uint32_t code) {
    memset(p, 0, sizeof *p);
    p->bytes[0] = 1;
    p->bytes[1] = (unsigned char)kind;
    memcpy(p->bytes + 4, &id, 4);
    memcpy(p->bytes + 12, &code, 4);
    p->size = HEADER_BYTES;
}

/* One call at a time: they can all have the same id. */
static void begin_call(struct packet *p, const char *interface, uint32_t code) {
    begin(p, KIND_TRANSACTION, 1, code);
    put(p, 0);
    put(p, UINT32_MAX);
    put(p, SYST);
    put_string16(p, interface);
}

/* Without objects all of the body is the parcel. */
static void end(struct packet *p) {
    uint32_t body_size = p->size - HEADER_BYTES;
    memcpy(p->bytes + 16, &body_size, 4);
    memcpy(p->bytes + 24, &body_size, 4);
}

static void say_hello(int fd) {
    struct packet p;
    begin(&p, KIND_HELLO, 0, 1);
    send_all(fd, p.bytes, p.size);
}

void memsvc_check_reply(const unsigned char *bytes, long size) {
    static const unsigned char no_exception[4];
    if (size < HEADER_BYTES + 4 || bytes[1] != KIND_REPLY) die("no reply");
    if (memcmp(bytes + HEADER_BYTES, no_exception, 4) != 0) die("the service answered an exception");
}

/* A call that is answered with a descriptor. */
static int call_for_fd(int fd, const struct packet *request) {
    unsigned char reply[MEMSVC_PACKET_BYTES];
    int passed;
    send_all(fd, request->bytes, request->size);
    memsvc_check_reply(reply, (long)receive_with_fd(fd, reply, sizeof reply, &passed));
    if (passed < 0) die("no descriptor came");
    return passed;
}

int memsvc_connect(const char *registry) {
    int fd = connect_to(SOCK_SEQPACKET, registry);
    say_hello(fd);
    return fd;
}

int memsvc_open_service(int registry) {
    struct packet p;
    begin_call(&p, REGISTRY, 1);
    put_string16(&p, SERVICE);
    end(&p);
    int channel = call_for_fd(registry, &p);
    /* The registry makes channels non-blocking; the baselines like to wait. */
    check(fcntl(channel, F_SETFL, 0), "fcntl");
    say_hello(channel);
    return channel;
}

int memsvc_get_region(int service) {
    struct packet p;
    begin_call(&p, MEMORY_SERVICE, 1);
    end(&p);
    return call_for_fd(service, &p);
}

void memsvc_make_set_value(struct packet *packet, int32_t value) {
    begin_call(packet, MEMORY_SERVICE, 2);
    put(packet, (uint32_t)value);
    end(packet);
}

void memsvc_change_value(struct packet *packet, int32_t value) {
    memcpy(packet->bytes + packet->size - 4, &value, 4);
}
