// Mappings that JavaScript names by a handle and gets copies of; only the readers of one place have a view (ViewOf). Another
// process may change the bytes at any moment, so nothing here reads a byte twice, and aligned 4 and 8 bytes go in one access
// that cannot tear.
#include <cstring>
#include <memory>

#include "define.h"
#include "families.h"
#include "fast_call.h"
#include "lasting_array.h"
#include "words.h"

namespace {

constexpr size_t kCopyArgs = 3;

/** An integer >= 0. Throws and answers false otherwise. */
bool CheckSize(napi_env env, double number, const char* name, size_t* out) {
  constexpr double kTooMuch = 9007199254740992;
  if (number >= 0 && number < kTooMuch) {
    // Signed on the way: one instruction, where an unsigned one takes several.
    const auto integer = static_cast<int64_t>(number);
    *out = static_cast<size_t>(integer);
    if (static_cast<double>(integer) == number) return true;
  }
  ThrowOutOfRange(env, std::string(name) + " must be an integer >= 0");
  return false;
}

bool ReadSize(napi_env env, napi_value value, const char* name, size_t* out) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok) return CheckSize(env, number, name, out);
  ThrowArgType(env, name, "a number");
  return false;
}

/** The mapping of a call's handle. Throws ERR_CLOSED and answers null when it is unmapped. */
template <size_t N>
MappedMemory* MemoryOf(const FastCall<N>& call) {
  return FindOpen(call, call.environment->mappings, "the mapping is unmapped");
}

/** The address of `count` bytes at `offset`. Throws ERR_OUT_OF_RANGE and answers null when they are not all inside. */
uint8_t* PlaceIn(napi_env env, const MappedMemory& memory, size_t offset, size_t count) {
  if (count <= memory.length() && offset <= memory.length() - count) return memory.data() + offset;
  ThrowOutOfRange(env, std::to_string(count) + " bytes at offset " + std::to_string(offset) +
                           " do not lie within the mapping's " + std::to_string(memory.length()));
  return nullptr;
}

bool CheckReadable(napi_env env, const MappedMemory& memory) {
  if (memory.readable()) return true;
  napi_throw_error(env, "ERR_NOT_READABLE", "the mapping was made with PROT_NONE");
  return false;
}

bool CheckWritable(napi_env env, const MappedMemory& memory) {
  if (memory.writable()) return true;
  napi_throw_error(env, "ERR_READ_ONLY", "the mapping was made without PROT_WRITE");
  return false;
}

/** `count` bytes of a Uint8Array from `offset` on. Throws and answers null when it is none, or too short. */
uint8_t* PartOf(napi_env env, napi_value array, const char* name, size_t offset, size_t count) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    ThrowArgType(env, name, "a Uint8Array");
    return nullptr;
  }
  if (count <= length && offset <= length - count) return static_cast<uint8_t*>(data) + offset;
  ThrowOutOfRange(env, std::to_string(count) + " bytes at offset " + std::to_string(offset) + " do not lie within the " +
                           std::to_string(length) + " bytes of " + name);
  return nullptr;
}

/**
 * The two ends of a copy between a mapping and a Uint8Array: (handle, array), and in the shared array offset, offset in
 * the array, and count. As arguments they would be a third of what a small copy costs.
 */
struct Copy {
  uint8_t* place = nullptr;
  uint8_t* array = nullptr;
  size_t count = 0;
};

bool ReadCopy(const FastCall<2>& call, const MappedMemory& memory, const char* arrayName, Copy* copy) {
  const double* args = call.environment->copy_args;
  size_t offset, arrayOffset;
  if (!CheckSize(call.env, args[0], "offset", &offset) ||
      !CheckSize(call.env, args[1], "offset in the array", &arrayOffset) ||
      !CheckSize(call.env, args[2], "count", &copy->count)) {
    return false;
  }
  copy->array = PartOf(call.env, call.argv[1], arrayName, arrayOffset, copy->count);
  if (copy->array == nullptr) return false;
  copy->place = PlaceIn(call.env, memory, offset, copy->count);
  return copy->place != nullptr;
}

napi_value Read(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  MappedMemory* memory = MemoryOf(call);
  Copy copy;
  if (memory == nullptr || !CheckReadable(env, *memory) || !ReadCopy(call, *memory, "target", &copy)) return nullptr;
  CopyOut(copy.place, copy.array, copy.count);
  return nullptr;
}

napi_value Write(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  MappedMemory* memory = MemoryOf(call);
  Copy copy;
  if (memory == nullptr || !CheckWritable(env, *memory) || !ReadCopy(call, *memory, "source", &copy)) return nullptr;
  CopyIn(copy.place, copy.array, copy.count);
  return nullptr;
}

/** (handle, offset, count, byte) */
napi_value Fill(napi_env env, napi_callback_info info) {
  FastCall<4> call(env, info);
  MappedMemory* memory = MemoryOf(call);
  size_t offset, count, byte;
  if (memory == nullptr || !CheckWritable(env, *memory) || !ReadSize(env, call.argv[1], "offset", &offset) ||
      !ReadSize(env, call.argv[2], "count", &count) || !ReadSize(env, call.argv[3], "byte", &byte)) {
    return nullptr;
  }
  uint8_t* place = PlaceIn(env, *memory, offset, count);
  if (place != nullptr) std::memset(place, static_cast<int>(byte & 0xff), count);
  return nullptr;
}

/** The place of an aligned 32-bit word. Throws and answers null. */
uint8_t* WordPlace(napi_env env, const MappedMemory& memory, napi_value offsetValue) {
  size_t offset;
  if (!ReadSize(env, offsetValue, "offset", &offset)) return nullptr;
  if (offset % sizeof(uint32_t) != 0) {
    ThrowOutOfRange(env, "offset must be a multiple of 4, got " + std::to_string(offset));
    return nullptr;
  }
  return PlaceIn(env, memory, offset, sizeof(uint32_t));
}

/** (handle, offset) */
template <bool BigEndian>
napi_value ReadInt32(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  MappedMemory* memory = MemoryOf(call);
  if (memory == nullptr || !CheckReadable(env, *memory)) return nullptr;
  const uint8_t* place = WordPlace(env, *memory, call.argv[1]);
  if (place == nullptr) return nullptr;
  napi_value result = nullptr;
  napi_create_int32(env, static_cast<int32_t>(InOrder<BigEndian>(LoadWord<uint32_t>(place))), &result);
  return result;
}

/** Null where the runtime allows no ArrayBuffer over memory outside its heap. */
napi_value ViewOf(napi_env env, Environment* environment, MappedMemory* memory, uint8_t* place, size_t count) {
  napi_value result = environment->lent.Lend(env, place, count, memory->Show(place, count));
  if (result == nullptr) napi_get_null(env, &result);
  return result;
}

/**
 * (handle, offset) -> the word, an ArrayBuffer of 4 bytes.
 * Zeros after unmapMemory.
 * SAFETY: the caller stores nothing into what was not mapped with PROT_WRITE.
 */
napi_value WordView(napi_env env, napi_callback_info info) {
  FastCall<2> call(env, info);
  MappedMemory* memory = MemoryOf(call);
  if (memory == nullptr || !CheckReadable(env, *memory)) return nullptr;
  uint8_t* place = WordPlace(env, *memory, call.argv[1]);
  return place == nullptr ? nullptr : ViewOf(env, call.environment, memory, place, sizeof(uint32_t));
}

/** (handle, offset, count) -> the bytes as an ArrayBuffer. SAFETY: as WordView. */
napi_value RangeView(napi_env env, napi_callback_info info) {
  FastCall<3> call(env, info);
  MappedMemory* memory = MemoryOf(call);
  size_t offset, count;
  if (memory == nullptr || !CheckReadable(env, *memory) || !ReadSize(env, call.argv[1], "offset", &offset) ||
      !ReadSize(env, call.argv[2], "count", &count)) {
    return nullptr;
  }
  uint8_t* place = PlaceIn(env, *memory, offset, count);
  return place == nullptr ? nullptr : ViewOf(env, call.environment, memory, place, count);
}

/** An int32. Throws and answers false otherwise. */
bool ReadInt(napi_env env, napi_value value, int* out) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok && number >= INT32_MIN && number <= INT32_MAX) {
    *out = static_cast<int>(number);
    if (*out == number) return true;
  }
  return ReadArg(Napi::Value(env, value), "value", out);  // which says what is wrong
}

/** (handle, offset, value) */
template <bool BigEndian>
napi_value WriteInt32(napi_env env, napi_callback_info info) {
  FastCall<3> call(env, info);
  MappedMemory* memory = MemoryOf(call);
  int value;
  if (memory == nullptr || !CheckWritable(env, *memory) ||
      !ReadInt(env, call.argv[2], &value)) {
    return nullptr;
  }
  uint8_t* place = WordPlace(env, *memory, call.argv[1]);
  if (place != nullptr) StoreWord<uint32_t>(place, InOrder<BigEndian>(static_cast<uint32_t>(value)));
  return nullptr;
}

/** Answers the handle, or a negative errno. */
int64_t MapMemory(Napi::Env env, int fd, int64_t length, int prot, int flags, int64_t offset) {
  Environment& environment = Environment::Of(env);
  if (environment.mappings.Full()) return -ENOMEM;
  MappedMemory memory = MappedMemory::Map(fd, length, prot, flags, offset);
  return memory.ok() ? environment.mappings.Insert(std::move(memory)) : -errno;
}

/** A stale handle is harmless. A negative errno: it is still mapped. */
int64_t UnmapMemory(Napi::Env env, int64_t handle) {
  MappedMemory* memory = Environment::Of(env).mappings.Find(handle);
  if (memory == nullptr) return 0;
  const int error = memory->Unmap();
  if (error == 0) Environment::Of(env).mappings.Take(handle);
  return error;
}

/** [bytes of zeros that stand in for what was unmapped, bytes that moved away from a thread that has ended], of all threads. */
Napi::Value KeptMemory(Napi::Env env) {
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, ToJs(env, static_cast<int64_t>(ViewedPages::zero_bytes.load())));
  pair.Set(1u, ToJs(env, static_cast<int64_t>(LentMemory::left_bytes.load())));
  return pair;
}

/**
 * (array): where JavaScript writes the numbers of the copy that comes, and ReadCopy reads them, for as long as the thread
 * lives. In a SharedArrayBuffer, which nobody can detach.
 */
napi_value UseCopyArgs(napi_env env, napi_callback_info info) {
  FastCall<1> call(env, info);
  size_t length;
  void* args = LastingArray(env, call.argv[0], napi_float64_array, &length);
  if (args == nullptr || length != kCopyArgs) {
    ThrowArgType(env, "array", "a Float64Array of 3 in a SharedArrayBuffer");
    return nullptr;
  }
  call.environment->copy_args = static_cast<double*>(args);
  return nullptr;
}

}  // namespace

void RegisterMapping(Napi::Env env, Napi::Object exports) {
  Define<MapMemory, "fd", "length", "prot", "flags", "offset">(exports, "mapMemory");
  Define<UnmapMemory, "handle">(exports, "unmapMemory");
  Define<KeptMemory>(exports, "keptMemory");
  DefineFast(exports, "useCopyArgs", UseCopyArgs);
  DefineFast(exports, "readMemory", Read);
  DefineFast(exports, "writeMemory", Write);
  DefineFast(exports, "fillMemory", Fill);
  DefineFast(exports, "readInt32LE", ReadInt32<false>);
  DefineFast(exports, "readInt32BE", ReadInt32<true>);
  DefineFast(exports, "wordView", WordView);
  DefineFast(exports, "rangeView", RangeView);
  DefineFast(exports, "writeInt32LE", WriteInt32<false>);
  DefineFast(exports, "writeInt32BE", WriteInt32<true>);
}
