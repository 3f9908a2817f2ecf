#include "memsvc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER_BYTES 32
#define OBJECT_BYTES 24
#define KIND_HELLO 1
#define FLAG_ONEWAY 1
#define SYST 0x53595354u
#define OBJECT_OF_SENDER 2
#define OBJECT_OF_RECEIVER 3

#define REGISTRY "memsvc.IServiceManager"
#define SERVICE "AnonymousSharedMemory"
#define MEMORY_SERVICE "shy.luo.ashmem.IMemoryService"
#define WATCH "memsvc.IWatch"

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

static void begin(struct packet *p, int kind, int flags, uint32_t id, uint32_t code) {
    memset(p, 0, sizeof *p);
    p->bytes[0] = 1;
    p->bytes[1] = (unsigned char)kind;
    p->bytes[2] = (unsigned char)flags;
    memcpy(p->bytes + 4, &id, 4);
    memcpy(p->bytes + 12, &code, 4);
    p->size = HEADER_BYTES;
}

static void begin_call(struct packet *p, const char *interface, uint32_t code, int flags) {
    begin(p, MEMSVC_KIND_TRANSACTION, flags, flags == FLAG_ONEWAY ? 0 : 1, code);
    put(p, 0);
    put(p, UINT32_MAX);
    put(p, SYST);
    put_string16(p, interface);
}

/* `object_at`: where in the parcel the packet's object is, or -1. */
static void end(struct packet *p, int object_at) {
    uint32_t data_size = p->size - HEADER_BYTES, objects = object_at >= 0, here = data_size + 4 * objects;
    if (objects > 0) put(p, (uint32_t)object_at);
    memcpy(p->bytes + 16, &data_size, 4);
    memcpy(p->bytes + 20, &objects, 4);
    memcpy(p->bytes + 24, &here, 4);
}

static void say_hello(int fd) {
    struct packet p;
    begin(&p, KIND_HELLO, 0, 0, 1);
    send_all(fd, p.bytes, p.size);
}

int memsvc_kind(const unsigned char *bytes) {
    return bytes[1];
}

void memsvc_check_reply(const unsigned char *bytes, long size) {
    static const unsigned char no_exception[4];
    if (size < HEADER_BYTES + 4 || bytes[1] != MEMSVC_KIND_REPLY) die("no reply");
    if (memcmp(bytes + HEADER_BYTES, no_exception, 4) != 0) die("the service answered an exception");
}

/* As memsvc_call, for a call that is answered with a descriptor. */
static int call_for_fd(int fd, const struct packet *request) {
    unsigned char reply[MEMSVC_PACKET_BYTES];
    int passed;
    send_all(fd, request->bytes, request->size);
    memsvc_check_reply(reply, (long)receive_with_fd(fd, reply, sizeof reply, &passed));
    if (passed < 0) die("no descriptor came");
    return passed;
}

void memsvc_call(int channel, const struct packet *packet) {
    unsigned char reply[MEMSVC_PACKET_BYTES];
    send_all(channel, packet->bytes, packet->size);
    memsvc_check_reply(reply, check(recv(channel, reply, sizeof reply, 0), "recv"));
}

int memsvc_connect(const char *registry) {
    int fd = connect_to(SOCK_SEQPACKET, registry);
    say_hello(fd);
    return fd;
}

int memsvc_open_service(int registry) {
    struct packet p;
    begin_call(&p, REGISTRY, 1, 0);
    put_string16(&p, SERVICE);
    end(&p, -1);
    int channel = call_for_fd(registry, &p);
    /* The registry makes channels non-blocking; the baselines like to wait. */
    check(fcntl(channel, F_SETFL, 0), "fcntl");
    say_hello(channel);
    return channel;
}

int memsvc_get_region(int service) {
    struct packet p;
    begin_call(&p, MEMORY_SERVICE, 1, 0);
    end(&p, -1);
    return call_for_fd(service, &p);
}

void memsvc_make_set_value(struct packet *packet, int32_t value) {
    begin_call(packet, MEMORY_SERVICE, 2, 0);
    put(packet, (uint32_t)value);
    end(packet, -1);
}

void memsvc_change_value(struct packet *packet, int32_t value) {
    memcpy(packet->bytes + packet->size - 4, &value, 4);
}

static void put_callback(struct packet *p, uint32_t type) {
    int at = (int)(p->size - HEADER_BYTES);
    memset(p->bytes + p->size, 0, OBJECT_BYTES);
    put(p, type);
    put(p, 1);
    p->size += OBJECT_BYTES - 8;
    end(p, at);
}

void memsvc_make_watch(struct packet *packet) {
    begin_call(packet, WATCH, 1001, 0);
    put_callback(packet, OBJECT_OF_SENDER);
}

void memsvc_make_acknowledge(struct packet *packet) {
    begin_call(packet, WATCH, 1003, FLAG_ONEWAY);
    put_callback(packet, OBJECT_OF_SENDER);
}
