#include "families.h"

void RegisterMemfd(Napi::Env env, Napi::Object exports) {}
