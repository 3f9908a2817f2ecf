#include "families.h"

void RegisterMapping(Napi::Env env, Napi::Object exports) {}
