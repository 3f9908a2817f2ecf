// What concerns the whole process: prctl(2), getrlimit(2), kcmp(2), clock_gettime(2).
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "define.h"
#include "families.h"

namespace {

#ifdef __GLIBC__
using Resource = __rlimit_resource_t;
#else
using Resource = int;
#endif

int64_t SetDumpable(bool on) { return ResultOf(::prctl(PR_SET_DUMPABLE, on ? 1L : 0L, 0L, 0L, 0L)); }
int64_t GetDumpable() { return ResultOf(::prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L)); }

/** [soft, hard]; -1 is RLIM_INFINITY. */
Napi::Value GetLimit(Napi::Env env, int resource) {
  rlimit limit;
  if (::getrlimit(static_cast<Resource>(resource), &limit) < 0) return Errno(env);
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, ToJs(env, static_cast<int64_t>(limit.rlim_cur)));
  pair.Set(1u, ToJs(env, static_cast<int64_t>(limit.rlim_max)));
  return pair;
}

int64_t SetLimit(int resource, int64_t soft, int64_t hard) {
  const rlimit limit{static_cast<rlim_t>(soft), static_cast<rlim_t>(hard)};
  return ResultOf(::setrlimit(static_cast<Resource>(resource), &limit));
}

/** No C library has it. */
int64_t Kcmp(int pid, int other_pid, int type, int64_t index, int64_t other_index) {
  return ResultOf(::syscall(SYS_kcmp, static_cast<long>(pid), static_cast<long>(other_pid), static_cast<long>(type),
                            static_cast<long>(index), static_cast<long>(other_index)));
}

/** CLOCK_BOOTTIME, in nanoseconds: the same for all processes of the machine, and it counts while the machine sleeps. */
int64_t BootTime() {
  timespec time;
  if (::clock_gettime(CLOCK_BOOTTIME, &time) < 0) return -errno;
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void RegisterProcess(Napi::Env env, Napi::Object exports) {
  Define<SetDumpable, "on">(exports, "setDumpable");
  Define<GetDumpable>(exports, "getDumpable");
  Define<GetLimit, "resource">(exports, "getLimit");
  Define<SetLimit, "resource", "soft", "hard">(exports, "setLimit");
  Define<Kcmp, "pid", "otherPid", "type", "index", "otherIndex">(exports, "kcmp");
  Define<BootTime>(exports, "bootTime");
}
