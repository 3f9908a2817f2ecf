// An owner's area for JavaScript: a handle of the one writable mapping there will ever be.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>

#include "../families.h"
#include "owned_area.h"

namespace area {
namespace {

/**
 * Where there is room, a few large values that change again and again go round in blocks of their own: joining those would wipe
 * them, and let every reader begin anew.
 */
constexpr uint64_t kJoinBytes = 256 << 10;

/** What an area is to be: an object with capacity, maxKeys, logSize, base and epoch. Answers false after it has thrown. */
bool ReadGeometry(Napi::Value value, int64_t* capacity, Geometry* geometry) {
  if (!value.IsObject()) {
    ThrowArgType(value.Env(), "geometry", "an object");
    return false;
  }
  // A member that cannot be read is an empty value, and what it threw is what is thrown.
  const Napi::Object object = value.As<Napi::Object>();
  const auto member = [&](const char* name) { return Napi::Value(object.Env(), Napi::Value(object.Get(name))); };
  unsigned max_keys, log_size;
  uint64_t base, epoch;
  if (!ReadArg(member("capacity"), "capacity", capacity) || !ReadArg(member("maxKeys"), "maxKeys", &max_keys) ||
      !ReadArg(member("logSize"), "logSize", &log_size) || !ReadVersion(member("base"), "base", &base) ||
      !ReadVersion(member("epoch"), "epoch", &epoch)) {
    return false;
  }
  *geometry = Geometry::For(static_cast<uint64_t>(*capacity), max_keys, log_size);
  geometry->base = base;
  geometry->epoch = epoch;
  return true;
}

/** (fd, geometry): the file has that capacity, and is zeros. -> a handle, or why not. */
napi_value Create(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  int fd;
  int64_t capacity;
  Geometry geometry;
  if (!ReadArg(call[0], "fd", &fd) || !ReadGeometry(call[1], &capacity, &geometry)) return nullptr;
  if (!geometry.IsSound(static_cast<uint64_t>(capacity))) return call.Answer(-EINVAL);
  if (call.environment->owned_areas.Full()) return call.Answer(-ENOMEM);
  struct stat status;
  if (::fstat(fd, &status) < 0) return call.Answer(-errno);
  if (status.st_size < capacity) return call.Answer(-EINVAL);  // beyond its end a store is SIGBUS
  unique_fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!own.ok()) return call.Answer(-errno);
  MappedMemory memory = MappedMemory::Map(fd, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
  if (!memory.ok()) return call.Answer(-errno);
  Allocator::Tuning tuning;
  const uint64_t heap = geometry.capacity - geometry.heap_at;
  if (heap < (1 << 20)) tuning.spares = heap >> 14;
  tuning.join_bytes = std::clamp(heap >> 6, tuning.join_bytes, kJoinBytes);
  auto area = std::make_shared<OwnedArea>(std::move(memory), std::move(own), geometry, tuning);
  const int error = area->writer.Begin(6);
  return call.Answer(error != 0 ? error : call.environment->owned_areas.Insert(std::move(area)));
}

/** A stale handle is harmless. */
int64_t Close(Napi::Env env, int64_t handle) {
  Environment& environment = Environment::Of(env);
  environment.last_put_handle = 0;
  environment.last_put_area = nullptr;
  environment.owned_areas.Take(handle);
  return 0;
}

/** The area of a put. Throws ERR_CLOSED and answers null when it is closed. */
OwnedArea* AreaOfPut(const FastCall<0>& call) {
  Environment* const environment = call.environment;
  const double handle = environment->area_words->handle;
  if (handle == environment->last_put_handle && handle != 0) return environment->last_put_area;
  OwnedArea* const area = OpenAreaOfWords(call, environment->owned_areas);
  if (area == nullptr) return nullptr;
  environment->last_put_handle = handle;
  environment->last_put_area = area;
  return area;
}

/** The bytes of a put: few, or an argument. Throws and answers false when they are neither. */
bool ReadValue(const FastCall<0>& call, Bytes* bytes) {
  const int32_t room = call.environment->area_words->room;
  if (room < 0) return ReadArg(Napi::Value(call.env, call.Argument(1)), "value", bytes);
  *bytes = {call.environment->area_few, std::min(static_cast<size_t>(room), kFewBytes)};
  return true;
}

/** The key of a put, into area->last_put. Of the one that was put last hash and entry are known. As ReadKeyOfWords. */
bool ReadKeyOfPut(const FastCall<0>& call, OwnedArea* area, int64_t* error) {
  const Words& words = *call.environment->area_words;
  const double number = words.key_bytes == 0 ? 0 : words.key_number;
  if (number != 0 && number == area->last_key) return true;
  area->last_key = 0;
  area->last_put.before = {};
  if (!ReadKeyOfWords(call, area->writer.geometry().epoch, &area->last_put.key, error)) return false;
  if (*error == 0) area->last_key = number;
  return true;
}

/** (key, bytes), either of them in the words instead -> undefined, and in the words the version and 0, or why not. */
napi_value Put(napi_env env, napi_callback_info info) {
  FastCall<0> call(env, info);
  Words& words = *call.environment->area_words;
  OwnedArea* area = AreaOfPut(call);
  if (area == nullptr) return nullptr;
  const uint32_t type = words.type;
  if (type != kBytes && type != kJson) {
    ThrowOutOfRange(env, "type must be 1 or 2");
    return nullptr;
  }
  Bytes bytes;
  int64_t error = 0;
  if (!ReadKeyOfPut(call, area, &error) || !ReadValue(call, &bytes)) return nullptr;
  if (bytes.length > UINT32_MAX) error = -E2BIG;
  uint64_t version = 0;
  if (error == 0) {
    const auto length = static_cast<uint32_t>(bytes.length);
    error = area->writer.Put(&area->last_put, static_cast<Type>(type), bytes.data, length, &version);
    if (error == 0) StampChange(area);
  }
  Split(version, words.version);
  words.count = static_cast<double>(error);
  return nullptr;
}

/** (handle, state) */
napi_value Mark(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  OwnedArea* area = AreaOf(call);
  unsigned state;
  if (area == nullptr || !ReadArg(call[1], "state", &state)) return nullptr;
  if (state == kMoved) area->writer.MarkMoved();
  else area->writer.MarkClosed();
  return call.Answer(0);
}

/** (handle, state, applied, contact) */
napi_value Replica(napi_env env, napi_callback_info info) {
  FastCall<4> call(env, info);
  OwnedArea* area = AreaOf(call);
  unsigned state;
  uint64_t applied, contact;
  if (area == nullptr || !ReadArg(call[1], "state", &state) || !ReadVersion(call[2], "applied", &applied) ||
      !ReadVersion(call[3], "contact", &contact)) {
    return nullptr;
  }
  area->writer.SetReplica(state, applied, contact);
  return call.Answer(0);
}

/** -> undefined, and in the words what is asked so often that an object for it would cost more. */
napi_value Room(napi_env env, napi_callback_info info) {
  FastCall<0> call(env, info);
  OwnedArea* area = OpenAreaOfWords(call, call.environment->owned_areas);
  if (area == nullptr) return nullptr;
  const Heap<OwnerMemory>& heap = area->writer.heap();
  double* room = call.environment->area_words->room_of;
  room[0] = static_cast<double>(heap.allocated());
  room[1] = static_cast<double>(heap.allocator().used());
  room[2] = static_cast<double>(area->writer.reserved());
  return nullptr;
}

/** (handle) -> numbers of the area, in bytes where nothing else is said. */
napi_value Stats(napi_env env, napi_callback_info info) {
  FastCall<1> call(env, info);
  OwnedArea* area = AreaOf(call);
  if (area == nullptr) return nullptr;
  const Writer<OwnerMemory>& writer = area->writer;
  const Allocator& allocator = writer.heap().allocator();
  const Geometry& geometry = writer.geometry();
  Napi::Object stats = Napi::Object::New(env);
  const auto set = [&](const char* name, uint64_t number) {
    stats.Set(name, Napi::Number::New(env, static_cast<double>(number)));
  };
  set("capacity", geometry.capacity);
  set("heapBytes", geometry.capacity - geometry.heap_at);
  set("usedBytes", allocator.used());
  set("freeBytes", allocator.free());
  set("allocatedBytes", writer.heap().allocated());
  set("valueBytes", writer.live_bytes());
  set("keys", writer.live_keys());
  set("deletedKeys", writer.deleted_keys());
  set("entries", writer.table().count());
  set("joins", allocator.joins());
  set("reservedBlocks", writer.reserved());
  timespec tick{};
  ::clock_getres(CLOCK_REALTIME_COARSE, &tick);
  const timespec& changed = area->changed;
  const double changed_ms = changed.tv_sec * 1e3 + std::ceil((changed.tv_nsec + tick.tv_nsec) / 1e6);
  stats.Set("changedAt", Napi::Number::New(env, changed.tv_sec == 0 ? 0 : changed_ms));
  stats.Set("committed", Napi::BigInt::New(env, writer.committed()));
  return stats;
}

}  // namespace
}  // namespace area

void RegisterAreaWriter(Napi::Env env, Napi::Object exports) {
  using namespace area;
  DefineFast(exports, "areaCreate", Create);
  Define<Close, "handle">(exports, "areaClose");
  DefineFast(exports, "areaPut", Put);
  DefineFast(exports, "areaMark", Mark);
  DefineFast(exports, "areaReplica", Replica);
  DefineFast(exports, "areaRoom", Room);
  DefineFast(exports, "areaStats", Stats);
}
