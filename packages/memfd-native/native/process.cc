// What concerns the whole process: prctl(2).
#include <sys/prctl.h>

#include "define.h"
#include "families.h"

namespace {

int64_t SetDumpable(bool on) { return ResultOf(::prctl(PR_SET_DUMPABLE, on ? 1L : 0L, 0L, 0L, 0L)); }
int64_t GetDumpable() { return ResultOf(::prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L)); }

}  // namespace

void RegisterProcess(Napi::Env env, Napi::Object exports) {
  Define<SetDumpable, "on">(exports, "setDumpable");
  Define<GetDumpable>(exports, "getDumpable");
}
