#include "families.h"

void RegisterHub(Napi::Env env, Napi::Object exports) {}
