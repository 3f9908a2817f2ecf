// Values of a reader's area, for JavaScript: they come as copies. It is attached in area_attach.cc.
#include <algorithm>

#include "../families.h"
#include "../lasting_array.h"
#include "attached_area.h"
#include "cached.h"
#include "collect.h"
#include "node_call.h"

namespace area {

namespace {

template <size_t N>
AttachedArea* AreaOf(const FastCall<N>& call) {
  return OpenArea(call, call.environment->areas);
}

/** Of no bytes if it is null; throws when it is anything else but a Uint8Array. */
bool ReadTarget(napi_env env, napi_value value, Target* target) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok && type == napi_uint8_array) {
    target->data = static_cast<uint8_t*>(data);
    target->room = length;
    return true;
  }
  napi_valuetype kind;
  napi_typeof(env, value, &kind);
  if (kind == napi_null) return true;
  ThrowArgType(env, "target", "a Uint8Array");
  return false;
}

/** Where a read is to put the value: few bytes, or an argument. */
bool ReadTarget(const FastCall<0>& call, Target* target) {
  const int32_t room = call.environment->area_words->room;
  if (room < 0) return ReadTarget(call.env, call.Argument(1), target);
  target->data = call.environment->area_few;
  target->room = std::min(static_cast<size_t>(room), kFewBytes);
  return true;
}

/** What came of a read, by the words. */
napi_value Tell(const CachedOutcome& outcome, const Found& found, const Target& target, Words* words) {
  words->entry = static_cast<int32_t>(found.entry);
  Split(found.uid, words->uid);
  Split(outcome.version, words->version);
  words->bytes = outcome.bytes;
  words->type = outcome.type;
  words->state = outcome.state;
  words->witness_at = static_cast<uint32_t>(outcome.witness.at / 4);
  Split(outcome.witness.value, words->witness);
  const bool is_value = outcome.code == Code::kValue;
  words->count = static_cast<double>(is_value ? static_cast<int64_t>(target.copied) : ErrorOf(outcome.code));
  return nullptr;
}

/** (key, target or null), either of them in the words instead -> undefined, and in the words bytes copied, or why not. */
napi_value Read(napi_env env, napi_callback_info info) {
  FastCall<0> call(env, info);
  Words& words = *call.environment->area_words;
  AttachedArea* area = OpenAreaOfWords(call, call.environment->areas);
  Target target;
  if (area == nullptr || !ReadTarget(call, &target)) return nullptr;
  if (!(words.position >= 0 && words.position <= 9007199254740992)) {
    ThrowOutOfRange(env, "position must be an integer >= 0");
    return nullptr;
  }
  target.position = static_cast<uint64_t>(static_cast<int64_t>(words.position));
  target.wanted_version = Join(words.wanted_version);
  Found found{static_cast<uint32_t>(words.entry), Join(words.uid)};
  // The number comes from JavaScript, which has it from here; only what is in the area may be followed.
  if (found.entry >= area->reader.geometry.max_entries) found = Found();
  Budget budget(target.room);
  if (found.entry != kNoEntry) {
    // Most reads need no key: it is looked at only when the entry has another life.
    CachedOutcome outcome;
    ReadFound(area->reader, &found, &target, &budget, &outcome);
    if (outcome.code != Code::kGone) return Tell(outcome, found, target, &words);
  }
  Key key;
  int64_t error = 0;
  if (!ReadKeyOfWords(call, area->reader.geometry.epoch, &key, &error)) return nullptr;
  words.count = static_cast<double>(error);
  if (error != 0) return nullptr;
  return Tell(ReadCached(area->reader, key, &found, &target, &budget), found, target, &words);
}

/** (handle, at, low, high): what the view of a word is for, where there are no views. */
napi_value IsWord(napi_env env, napi_callback_info info) {
  FastCall<4> call(env, info);
  AttachedArea* area = AreaOf(call);
  if (area == nullptr) return nullptr;
  unsigned at, low, high;
  if (!ReadArg(call[1], "at", &at) || !ReadArg(call[2], "low", &low) || !ReadArg(call[3], "high", &high)) return nullptr;
  const uint64_t place = uint64_t{at} * 4;
  const bool is_inside = place % 8 == 0 && place <= area->reader.geometry.heap_at - 8;
  const bool is_same = is_inside && area->reader.memory.Load<Site::kNames>(place) == (low | uint64_t{high} << 32);
  return Napi::Boolean::New(env, is_same);
}

/**
 * (handle, offset, count) -> the words before the heap, an ArrayBuffer. Null where the runtime allows no memory outside its heap.
 * Zeros after areaDetach. SAFETY: the caller only loads from it.
 */
napi_value View(napi_env env, napi_callback_info info) {
  FastCall<3> call(env, info);
  AttachedArea* area = AreaOf(call);
  if (area == nullptr) return nullptr;
  int64_t offset, count;
  if (!ReadArg(call[1], "offset", &offset) || !ReadArg(call[2], "count", &count)) return nullptr;
  const auto limit = static_cast<int64_t>(area->reader.geometry.heap_at);
  if (offset < 0 || offset % 8 != 0 || count < 8 || offset > limit || count > limit - offset) {
    ThrowOutOfRange(env, "offset and count must lie before the heap");
    return nullptr;
  }
  uint8_t* place = area->memory.data() + offset;
  const auto size = static_cast<size_t>(count);
  napi_value result = call.environment->lent.Lend(env, place, size, area->memory.Show(place, size));
  if (result == nullptr) napi_get_null(env, &result);
  return result;
}

/** (handle) -> how many bytes before the heap. */
napi_value Visible(napi_env env, napi_callback_info info) {
  FastCall<1> call(env, info);
  AttachedArea* area = AreaOf(call);
  return area == nullptr ? nullptr : call.Answer(static_cast<int64_t>(area->reader.geometry.heap_at));
}

napi_value ListOf(napi_env env, const std::vector<std::string>& texts) {
  Napi::Array list = Napi::Array::New(env, texts.size());
  for (size_t i = 0; i < texts.size(); ++i) list.Set(static_cast<uint32_t>(i), Napi::String::New(env, texts[i]));
  return list;
}

/** (handle, prefix) -> string[], or why not. */
napi_value Keys(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  AttachedArea* area = AreaOf(call);
  std::string prefix;
  if (area == nullptr || !ReadArg(call[1], "prefix", &prefix)) return nullptr;
  std::vector<std::string> keys;
  const Code code = Collector<LiveMemory>(area->reader, kTries, area->reader.geometry.capacity).Keys(prefix, &keys);
  return code == Code::kValue ? ListOf(env, keys) : call.Answer(ErrorOf(code));
}

/** (handle, place, count) -> string[] of the keys in these places; -ENOENT: there are no more. */
napi_value KeysAt(napi_env env, napi_callback_info info) {
  FastCall<3> call(env, info);
  AttachedArea* area = AreaOf(call);
  unsigned place, count;
  if (area == nullptr || !ReadArg(call[1], "place", &place) || !ReadArg(call[2], "count", &count)) return nullptr;
  const uint32_t all = area->reader.Count();
  if (place >= all) return call.Answer(-ENOENT);
  std::vector<std::string> keys;
  const Collector<LiveMemory> collector(area->reader, kTries, area->reader.geometry.capacity);
  const Code code = collector.KeysAt(place, place + std::min(count, all - place), "", &keys);
  return code == Code::kValue ? ListOf(env, keys) : call.Answer(ErrorOf(code));
}

/** (handle, keys or prefix, max value) -> [version, key, type, version, bytes, key, ...], or why not. */
napi_value Snapshot(napi_env env, napi_callback_info info) {
  FastCall<3> call(env, info);
  AttachedArea* area = AreaOf(call);
  std::string prefix;
  std::vector<std::string> keys;
  int64_t max_value;
  if (area == nullptr || !ReadArg(call[2], "max", &max_value)) return nullptr;
  if (call[1].IsString() ? !ReadArg(call[1], "prefix", &prefix) : !ReadArg(call[1], "keys", &keys)) return nullptr;
  for (const std::string& key : keys) {
    if (key.empty() || key.size() > kMaxKeyBytes) return call.Answer(-EINVAL);
  }
  uint64_t version = 0;
  std::vector<Copied> values;
  Collector<LiveMemory> collector(area->reader, kTries, static_cast<uint64_t>(max_value));
  const Code code = call[1].IsString() ? collector.SnapshotOf(prefix, &version, &values)
                                       : collector.Snapshot(keys, &version, &values);
  if (code != Code::kValue) return call.Answer(ErrorOf(code));
  Napi::Array result = Napi::Array::New(env);
  uint32_t at = 0;
  result.Set(at++, Napi::BigInt::New(env, version));
  for (const Copied& copied : values) {
    if (copied.outcome.code != Code::kValue) continue;
    result.Set(at++, Napi::String::New(env, copied.key));
    result.Set(at++, Napi::Number::New(env, copied.outcome.type));
    result.Set(at++, Napi::BigInt::New(env, copied.outcome.version));
    result.Set(at++, Napi::Buffer<uint8_t>::Copy(env, copied.value.data(), copied.value.size()));
  }
  return result;
}

/** (array): where the words are, for as long as the thread lives. -> the memory of few bytes, which nobody else may get: see kFewBytes. */
napi_value UseWords(napi_env env, napi_callback_info info) {
  FastCall<1> call(env, info);
  size_t length;
  void* words = LastingArray(env, call.argv[0], napi_int32_array, &length);
  if (words == nullptr || length != sizeof(Words) / sizeof(int32_t)) {
    ThrowArgType(env, "array", "an Int32Array of the words, in a SharedArrayBuffer");
    return nullptr;
  }
  void* few;
  napi_value buffer;
  napi_ref forever;
  if (napi_create_arraybuffer(env, kFewBytes, &few, &buffer) != napi_ok ||
      napi_create_reference(env, buffer, 1, &forever) != napi_ok) {
    return nullptr;
  }
  call.environment->area_words = static_cast<Words*>(words);
  call.environment->area_few = static_cast<uint8_t*>(few);
  return buffer;
}

}  // namespace
}  // namespace area

void RegisterAreaReader(Napi::Env env, Napi::Object exports) {
  using namespace area;
  Environment& environment = Environment::Of(env);
  static_assert(sizeof(environment.first_area_words) == sizeof(Words));
  environment.area_words = new (environment.first_area_words) Words();
  DefineFast(exports, "areaUseWords", UseWords);
  DefineFast(exports, "areaRead", Read);
  DefineFast(exports, "areaIsWord", IsWord);
  DefineFast(exports, "areaVisible", Visible);
  DefineFast(exports, "areaView", View);
  DefineFast(exports, "areaKeys", Keys);
  DefineFast(exports, "areaKeysAt", KeysAt);
  DefineFast(exports, "areaSnapshot", Snapshot);
}
