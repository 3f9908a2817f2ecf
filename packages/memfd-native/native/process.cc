#include "families.h"

void RegisterProcess(Napi::Env env, Napi::Object exports) {}
