// Blocks of an owner's area, for JavaScript: reserved, written in parts, and committed together.
#include "../families.h"
#include "owned_area.h"

namespace area {
namespace {

bool ReadType(Napi::Value value, Type* type) {
  unsigned number;
  if (!ReadArg(value, "type", &number)) return false;
  *type = static_cast<Type>(number);
  if (number == kBytes || number == kJson) return true;
  ThrowOutOfRange(value.Env(), "type must be 1 or 2");
  return false;
}

/** (handle, bytes, type) -> the block, or why not. */
napi_value Reserve(napi_env env, napi_callback_info info) {
  FastCall<3> call(env, info);
  OwnedArea* area = AreaOf(call);
  int64_t bytes;
  Type type;
  if (area == nullptr || !ReadArg(call[1], "byteLength", &bytes) || !ReadType(call[2], &type)) return nullptr;
  if (bytes < 0 || bytes > UINT32_MAX) return call.Answer(-E2BIG);
  const uint64_t block = area->writer.Reserve(static_cast<uint32_t>(bytes), type);
  return call.Answer(block == 0 ? -ENOSPC : static_cast<int64_t>(block));
}

/** (handle, block, position, bytes) -> 0, or why not: -EINVAL no block of Reserve, -ERANGE it does not fit. */
napi_value Write(napi_env env, napi_callback_info info) {
  FastCall<4> call(env, info);
  OwnedArea* area = AreaOf(call);
  int64_t block, position;
  Bytes bytes;
  if (area == nullptr || !ReadArg(call[1], "block", &block) || !ReadArg(call[2], "position", &position) ||
      !ReadArg(call[3], "bytes", &bytes)) {
    return nullptr;
  }
  if (!area->writer.IsReserved(static_cast<uint64_t>(block))) return call.Answer(-EINVAL);
  const uint64_t room = area->writer.BytesIn(static_cast<uint64_t>(block));
  if (position < 0 || static_cast<uint64_t>(position) > room || bytes.length > room - static_cast<uint64_t>(position)) {
    return call.Answer(-ERANGE);
  }
  area->writer.Write(static_cast<uint64_t>(block), static_cast<uint64_t>(position), bytes.data, bytes.length);
  return call.Answer(0);
}

/** (handle, block); anything else but a reserved block is harmless. */
napi_value Abandon(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  OwnedArea* area = AreaOf(call);
  int64_t block;
  if (area == nullptr || !ReadArg(call[1], "block", &block)) return nullptr;
  area->writer.Abandon(static_cast<uint64_t>(block));
  return call.Answer(0);
}

/** (handle, keys, blocks) with 0 for a delete -> 0 and the version in the words, or why not. */
napi_value Commit(napi_env env, napi_callback_info info) {
  FastCall<3> call(env, info);
  std::vector<std::string> keys;
  if (!ReadArg(call[1], "keys", &keys)) return nullptr;
  if (!call[2].IsArray() || call[2].As<Napi::Array>().Length() != keys.size()) {
    ThrowArgType(env, "blocks", "an array as long as keys");
    return nullptr;
  }
  if (keys.size() > kMaxEdits) return call.Answer(-E2BIG);
  std::vector<int64_t> blocks(keys.size());
  for (uint32_t i = 0; i < keys.size(); ++i) {
    if (!ReadArg(Napi::Value(call[2].As<Napi::Array>()[i]), "blocks", &blocks[i])) return nullptr;
  }
  // After the arrays, whose reading may have run JavaScript.
  OwnedArea* area = AreaOf(call);
  if (area == nullptr) return nullptr;
  std::vector<Edit> edits(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!edits[i].key.Set(keys[i].data(), keys[i].size(), area->writer.geometry().epoch)) return call.Answer(-EINVAL);
    edits[i].block = static_cast<uint64_t>(blocks[i]);
    if (blocks[i] != 0 && !area->writer.IsReserved(edits[i].block)) return call.Answer(-EINVAL);
    for (size_t j = 0; blocks[i] != 0 && j < i; ++j) {
      if (blocks[j] == blocks[i]) return call.Answer(-EINVAL);
    }
  }
  uint64_t version = 0;
  const int error = area->writer.Commit(edits.data(), edits.size(), &version);
  Split(version, call.environment->area_words->version);
  if (version != 0) StampChange(area);
  return call.Answer(error);
}

/** (handle, key, type, bytes, version) -> 0, or why not. */
napi_value Load(napi_env env, napi_callback_info info) {
  FastCall<5> call(env, info);
  OwnedArea* area = AreaOf(call);
  Key key;
  Type type;
  uint64_t version;
  int64_t error = 0;
  if (area == nullptr || !ReadKey(env, call.argv[1], area->writer.geometry().epoch, &key, &error) ||
      !ReadType(call[2], &type) || !ReadVersion(call[4], "version", &version)) {
    return nullptr;
  }
  Bytes bytes;
  if (!ReadArg(call[3], "value", &bytes)) return nullptr;
  if (bytes.length > UINT32_MAX) error = -E2BIG;
  if (error != 0) return call.Answer(error);
  const uint64_t block = area->writer.Reserve(static_cast<uint32_t>(bytes.length), type);
  if (block == 0) return call.Answer(-ENOSPC);
  area->writer.Write(block, 0, bytes.data, bytes.length);
  error = area->writer.Load(key, block, version);
  if (error != 0) area->writer.Abandon(block);
  return call.Answer(error);
}

}  // namespace
}  // namespace area

void RegisterAreaBlocks(Napi::Env env, Napi::Object exports) {
  using namespace area;
  DefineFast(exports, "areaReserve", Reserve);
  DefineFast(exports, "areaWrite", Write);
  DefineFast(exports, "areaAbandon", Abandon);
  DefineFast(exports, "areaCommit", Commit);
  DefineFast(exports, "areaLoad", Load);
}
