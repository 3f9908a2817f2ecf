// A process' identity as the kernel reports it, for JavaScript.
#pragma once
#include <napi.h>
#include <sys/socket.h>

inline Napi::Object CredentialsToJs(Napi::Env env, const ucred& credentials) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", static_cast<double>(credentials.pid));
  result.Set("uid", static_cast<double>(credentials.uid));
  result.Set("gid", static_cast<double>(credentials.gid));
  return result;
}
