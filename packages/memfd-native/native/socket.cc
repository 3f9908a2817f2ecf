#include "families.h"

void RegisterSocket(Napi::Env env, Napi::Object exports) {}
