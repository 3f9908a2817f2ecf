// What each file of this folder registers. Every registered function answers a result >= 0, or a negative errno
// (never throws for a failed syscall; binding.ts makes the error). Wrong argument types throw TypeError.
#pragma once
#include <napi.h>

void RegisterFd(Napi::Env env, Napi::Object exports);       // fd.cc: ownership, dup, reopen, fstat, pipe, flock
void RegisterMemfd(Napi::Env env, Napi::Object exports);    // memfd.cc: memfd_create, seals, ftruncate, fallocate, fchmod
void RegisterMapping(Napi::Env env, Napi::Object exports);  // mapping.cc: memory that is copied
void RegisterView(Napi::Env env, Napi::Object exports);     // view.cc: memory as a Buffer, madvise, mincore, msync
void RegisterSocket(Napi::Env env, Napi::Object exports);   // socket.cc: socketpair, bind, listen, accept, connect, options
void RegisterScm(Napi::Env env, Napi::Object exports);      // scm.cc: sendmsg and recvmsg with control data
void RegisterWatcher(Napi::Env env, Napi::Object exports);  // poll/watcher.cc: readiness of a descriptor through libuv
void RegisterContext(Napi::Env env, Napi::Object exports);  // context.cc: JavaScript in no async context
void RegisterProcess(Napi::Env env, Napi::Object exports);  // process.cc: prctl, getrlimit, kcmp
void RegisterHub(Napi::Env env, Napi::Object exports);      // hub/hub.cc: all packet sockets of a thread, in batches
void RegisterAreaAttach(Napi::Env env, Napi::Object exports);  // area/area_attach.cc: many values, found
void RegisterAreaReader(Napi::Env env, Napi::Object exports);  // area/area_reader.cc: many values, read
void RegisterAreaFeed(Napi::Env env, Napi::Object exports);    // area/area_feed.cc: what has changed
void RegisterAreaWriter(Napi::Env env, Napi::Object exports);  // area/area_writer.cc: many values, written
void RegisterAreaBlocks(Napi::Env env, Napi::Object exports);  // area/area_blocks.cc: those that come in parts, or several
void RegisterAreaRoom(Napi::Env env, Napi::Object exports);    // area/area_room.cc: room for them
