// A reader's area for JavaScript: attached, it is a handle.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "../families.h"
#include "attached_area.h"
#include "node_call.h"

#ifndef F_SEAL_SHRINK
#define F_SEAL_SHRINK 0x0002
#endif

namespace area {
namespace {

/** Whether the descriptor is of memory that stays: 0 and its size, or a negative errno. */
int64_t CheckFile(int fd, uint64_t* size) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0) return -errno;
  if ((seals & F_SEAL_SHRINK) == 0) return -EPERM;
  // Of huge pages (MFD_HUGETLB) a hole can be SIGBUS when the machine has none left, and a seal forbids no hole.
  struct statfs system;
  if (::fstatfs(fd, &system) < 0) return -errno;
  if (system.f_type != TMPFS_MAGIC) return -EINVAL;
  struct stat status;
  if (::fstat(fd, &status) < 0) return -errno;
  *size = static_cast<uint64_t>(status.st_size);
  return *size >= 2 * kHeaderBytes ? 0 : -EBADMSG;
}

/** The constant fields, each loaded once. */
bool ReadGeometry(const uint8_t* header, uint64_t size, Geometry* geometry) {
  uint8_t copy[128];
  std::memcpy(copy, header, sizeof(copy));
  const auto long_at = [&](uint64_t at) {
    uint64_t word;
    std::memcpy(&word, copy + at, sizeof(word));
    return word;
  };
  const auto int_at = [&](uint64_t at) {
    uint32_t word;
    std::memcpy(&word, copy + at, sizeof(word));
    return word;
  };
  geometry->capacity = long_at(kCapacityAt);
  geometry->entries_at = long_at(kEntriesAtAt);
  geometry->max_entries = int_at(kMaxEntriesAt);
  geometry->log_size = int_at(kLogSizeAt);
  geometry->heap_at = long_at(kHeapAtAt);
  geometry->log_at = long_at(kLogAtAt);
  geometry->epoch = long_at(kEpochAt);
  geometry->base = long_at(kBaseAt);
  return long_at(kMagicAt) == kMagic && int_at(kLayoutAt) == kLayout && int_at(kHeaderBytesAt) == kHeaderBytes &&
         geometry->IsSound(size);
}

int64_t Attach(Napi::Env env, int fd) {
  Environment& environment = Environment::Of(env);
  if (environment.areas.Full()) return -ENOMEM;
  uint64_t size = 0;
  const int64_t error = CheckFile(fd, &size);
  if (error != 0) return error;
  const MappedMemory header = MappedMemory::Map(fd, kHeaderBytes, PROT_READ, MAP_SHARED, 0);
  if (!header.ok()) return -errno;
  Geometry geometry;
  if (!ReadGeometry(header.data(), size, &geometry)) return -EBADMSG;
  MappedMemory memory = MappedMemory::Map(fd, static_cast<int64_t>(geometry.capacity), PROT_READ, MAP_SHARED, 0);
  if (!memory.ok()) return -errno;
  Reader<LiveMemory> reader(LiveMemory(memory.data()), geometry);
  return environment.areas.Insert(std::make_shared<AttachedArea>(AttachedArea{std::move(memory), reader}));
}

/** Feeds of it find it closed. A stale handle is harmless. */
int64_t Detach(Napi::Env env, int64_t handle) {
  const std::shared_ptr<AttachedArea> area = Environment::Of(env).areas.Take(handle);
  if (area != nullptr) area->memory = MappedMemory();
  return 0;
}

/** (handle) -> the header, as an object of numbers and bigints. */
napi_value Header(napi_env env, napi_callback_info info) {
  FastCall<1> call(env, info);
  AttachedArea* area = OpenArea(call, call.environment->areas);
  if (area == nullptr) return nullptr;
  const Geometry& geometry = area->reader.geometry;
  const LiveMemory& memory = area->reader.memory;
  Napi::Object header = Napi::Object::New(env);
  const auto set = [&](const char* name, double number) { header.Set(name, Napi::Number::New(env, number)); };
  const auto set_long = [&](const char* name, uint64_t number) { header.Set(name, Napi::BigInt::New(env, number)); };
  set("capacity", static_cast<double>(geometry.capacity));
  set("maxKeys", geometry.max_entries);
  set("logSize", geometry.log_size);
  set_long("epoch", geometry.epoch);
  set_long("base", geometry.base);
  set("state", memory.Load32<Site::kState>(kStateAt));
  set_long("committed", memory.Load<Site::kCommitted>(kCommittedAt));
  set("liveKeys", memory.Load32<Site::kInformation>(kLiveKeysAt));
  set("replicaState", memory.Load32<Site::kState>(kReplicaStateAt));
  set_long("applied", memory.Load<Site::kInformation>(kAppliedAt));
  set_long("contact", memory.Load<Site::kInformation>(kContactAt));
  return header;
}

}  // namespace
}  // namespace area

void RegisterAreaAttach(Napi::Env env, Napi::Object exports) {
  using namespace area;
  Define<Attach, "fd">(exports, "areaAttach");
  Define<Detach, "handle">(exports, "areaDetach");
  DefineFast(exports, "areaHeader", Header);
}
