#include "families.h"

void RegisterScm(Napi::Env env, Napi::Object exports) {}
