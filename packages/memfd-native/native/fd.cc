#include "families.h"

void RegisterFd(Napi::Env env, Napi::Object exports) {}
