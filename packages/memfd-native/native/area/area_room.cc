// Room in an owner's area, for JavaScript: values that move to another area, places that are taken back.
#include "../families.h"
#include "owned_area.h"

namespace area {
namespace {

/** (handle, keys, bytes) -> 0, or why not. */
napi_value Prepare(napi_env env, napi_callback_info info) {
  FastCall<3> call(env, info);
  OwnedArea* area = AreaOf(call);
  unsigned keys;
  int64_t bytes;
  if (area == nullptr || !ReadArg(call[1], "keys", &keys) || !ReadArg(call[2], "bytes", &bytes)) return nullptr;
  if (bytes < 0) return call.Answer(-EINVAL);
  return call.Answer(area->writer.Prepare(keys, static_cast<uint64_t>(bytes)));
}

/** (handle, to) -> 0, or why not: then that area is of no use any more. */
napi_value CopyAll(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  OwnedArea* from = AreaOf(call);
  int64_t handle;
  if (from == nullptr || !ReadArg(call[1], "to", &handle)) return nullptr;
  std::shared_ptr<OwnedArea>* to = call.environment->owned_areas.Find(handle);
  if (to == nullptr || to->get() == from) return call.Answer(-EINVAL);
  Writer<OwnerMemory>& writer = (*to)->writer;
  int error = writer.Rebase(from->writer.committed());
  if (error == 0) error = writer.Prepare(from->writer.live_keys(), 0);
  if (error != 0) return call.Answer(error);
  (*to)->changed = from->changed;
  return call.Answer(from->writer.EachValue([&](const uint8_t* name, uint32_t length, uint64_t block) {
    Key key;
    key.Set(name, length, writer.geometry().epoch);
    const uint32_t bytes = from->writer.BytesIn(block);
    const uint64_t copy = writer.Reserve(bytes, static_cast<Type>(from->writer.TypeIn(block)));
    if (copy == 0) return -ENOSPC;
    writer.Write(copy, 0, from->memory.data() + block + kContentIn, bytes);
    return writer.Load(key, copy, from->writer.VersionIn(block));
  }));
}

/** (handle, limit) -> how many. */
napi_value Retire(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  OwnedArea* area = AreaOf(call);
  unsigned limit;
  if (area == nullptr || !ReadArg(call[1], "limit", &limit)) return nullptr;
  return call.Answer(area->writer.Retire(limit));
}

/** (handle, version) -> 0, or why not. */
napi_value SkipTo(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  OwnedArea* area = AreaOf(call);
  uint64_t version;
  if (area == nullptr || !ReadVersion(call[1], "version", &version)) return nullptr;
  return call.Answer(area->writer.SkipTo(version));
}

/** (handle) -> 0, or why not. */
napi_value Rebuild(napi_env env, napi_callback_info info) {
  FastCall<1> call(env, info);
  OwnedArea* area = AreaOf(call);
  return area == nullptr ? nullptr : call.Answer(area->writer.Rebuild());
}

}  // namespace
}  // namespace area

void RegisterAreaRoom(Napi::Env env, Napi::Object exports) {
  using namespace area;
  DefineFast(exports, "areaPrepare", Prepare);
  DefineFast(exports, "areaCopyAll", CopyAll);
  DefineFast(exports, "areaRetire", Retire);
  DefineFast(exports, "areaSkipTo", SkipTo);
  DefineFast(exports, "areaRebuild", Rebuild);
}
