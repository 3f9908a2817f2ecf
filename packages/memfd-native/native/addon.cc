// Registration only: each family of syscalls lives in a file of its own and adds its functions here.
// All state is per environment (one per thread that loads the addon), never static.
#include "environment.h"
#include "families.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment());
  RegisterFd(env, exports);
  RegisterMemfd(env, exports);
  RegisterMapping(env, exports);
  RegisterView(env, exports);
  RegisterSocket(env, exports);
  RegisterScm(env, exports);
  RegisterWatcher(env, exports);
  RegisterContext(env, exports);
  RegisterProcess(env, exports);
  RegisterHub(env, exports);
  RegisterAreaAttach(env, exports);
  RegisterAreaReader(env, exports);
  RegisterAreaFeed(env, exports);
  RegisterAreaWriter(env, exports);
  RegisterAreaBlocks(env, exports);
  RegisterAreaRoom(env, exports);
  return exports;
}

NODE_API_MODULE(memfd_native, Init)
