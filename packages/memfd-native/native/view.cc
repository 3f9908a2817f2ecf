// Mapped memory as a Buffer (mmap-io's vocabulary): the unsafe way, where JavaScript touches the pages itself.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "define.h"
#include "families.h"

namespace {

/** What a Buffer's memory is. Belongs to its backing store, which may outlive the first ArrayBuffer. */
struct View {
  MappedMemory memory;
};

/** Marks the ArrayBuffers that were made here, so that nothing else is ever unmapped or given advice. */
constexpr napi_type_tag kViewTag{0x6d656d66642d6e61, 0x746976652d766965};

/** The Buffer that a call is about, its place in the mapping, and its ArrayBuffer. */
struct Target {
  View* view = nullptr;  // null: unmapped, or transferred to another owner
  Napi::ArrayBuffer arrayBuffer;
  size_t offset = 0;
  size_t length = 0;
};

/** Throws TypeError and answers false when the memory was not mapped here. */
bool ReadArg(Napi::Value value, const char* name, Target* out) {
  bool isOurs = false;
  if (value.IsTypedArray()) {
    Napi::TypedArray array = value.As<Napi::TypedArray>();
    out->arrayBuffer = array.ArrayBuffer();
    out->offset = array.ByteOffset();
    out->length = array.ByteLength();
    napi_check_object_type_tag(value.Env(), out->arrayBuffer, &kViewTag, &isOurs);
  }
  if (!isOurs) {
    ThrowArgType(value.Env(), name, "a Buffer made by mmap.map");
    return false;
  }
  // Detached first: then the view may be gone, or the memory another ArrayBuffer's, made by transfer().
  if (out->arrayBuffer.IsDetached()) return true;
  // SAFETY: this ArrayBuffer still holds the backing store that owns the view.
  return napi_unwrap(value.Env(), out->arrayBuffer, reinterpret_cast<void**>(&out->view)) == napi_ok;
}

/** The address of a part of the target, or null with an error thrown: ERR_CLOSED after unmap(), ERR_OUT_OF_RANGE. */
uint8_t* PartOf(Napi::Env env, const Target& target, int64_t offset, int64_t length) {
  if (target.view == nullptr) {
    napi_throw_error(env, "ERR_CLOSED", "the buffer is unmapped");
    return nullptr;
  }
  const auto available = static_cast<int64_t>(target.length);
  if (offset >= 0 && length >= 0 && offset <= available && length <= available - offset) {
    return target.view->memory.data() + target.offset + offset;
  }
  ThrowOutOfRange(env, "offset and length must lie within the " + std::to_string(available) + " bytes of the buffer");
  return nullptr;
}

Napi::Value MapView(Napi::Env env, int64_t size, int prot, int flags, int fd, int64_t offset) {
  MappedMemory memory = MappedMemory::Map(fd, size, prot, flags, offset);
  if (!memory.ok()) return Errno(env);
  auto view = std::make_shared<View>(View{std::move(memory)});
  napi_value buffer = Environment::Of(env).lent.Lend(env, view->memory.data(), view->memory.length(), view);
  if (buffer == nullptr) {
    napi_throw_error(env, "ERR_EXTERNAL_BUFFERS", "this runtime allows no Buffers over memory outside its heap");
    return {};
  }
  napi_type_tag_object(env, buffer, &kViewTag);
  napi_wrap(env, buffer, view.get(), nullptr, nullptr, nullptr);
  return Napi::Value(env, buffer);
}

/** All views have length 0 before it is unmapped. Where that fails, it is tried again when they are collected. */
int64_t UnmapView(Target target) {
  if (target.view == nullptr) return 0;
  if (napi_detach_arraybuffer(target.arrayBuffer.Env(), target.arrayBuffer) != napi_ok) return -EBUSY;
  return target.view->memory.Unmap();
}

Napi::Value Protect(Napi::Env env, Target target, int prot) {
  uint8_t* all = PartOf(env, target, 0, target.length);
  if (all == nullptr) return {};
  return ToJs(env, ResultOf(::mprotect(all, target.length, prot)));
}

Napi::Value Advise(Napi::Env env, Target target, int64_t offset, int64_t length, int advice) {
  uint8_t* part = PartOf(env, target, offset, length);
  if (part == nullptr) return {};
  return ToJs(env, ResultOf(::madvise(part, length, advice)));
}

Napi::Value Sync(Napi::Env env, Target target, int64_t offset, int64_t length, int flags) {
  uint8_t* part = PartOf(env, target, offset, length);
  if (part == nullptr) return {};
  return ToJs(env, ResultOf(::msync(part, length, flags)));
}

int64_t PageSize() { return ::sysconf(_SC_PAGESIZE); }

/** [pages not in core, pages in core]. In parts: a mapping can be a million times larger than what there is of memory. */
Napi::Value InCore(Napi::Env env, Target target) {
  uint8_t* data = PartOf(env, target, 0, target.length);
  if (data == nullptr) return {};
  const auto page = static_cast<size_t>(PageSize());
  std::array<unsigned char, 4096> pages;
  double present = 0, all = 0;
  for (size_t at = 0; at < target.length; at += pages.size() * page) {
    const size_t length = std::min(pages.size() * page, target.length - at);
    const size_t count = (length + page - 1) / page;
    if (::mincore(data + at, length, pages.data()) < 0) return Errno(env);
    all += count;
    present += std::count_if(pages.begin(), pages.begin() + count, [](unsigned char page) { return (page & 1) != 0; });
  }
  Napi::Array counts = Napi::Array::New(env, 2);
  counts.Set(0u, all - present);
  counts.Set(1u, present);
  return counts;
}

}  // namespace

void RegisterView(Napi::Env env, Napi::Object exports) {
  Define<MapView, "size", "prot", "flags", "fd", "offset">(exports, "mapView");
  Define<UnmapView, "buffer">(exports, "unmapView");
  Define<Protect, "buffer", "prot">(exports, "protect");
  Define<Advise, "buffer", "offset", "length", "advice">(exports, "advise");
  Define<Sync, "buffer", "offset", "length", "flags">(exports, "sync");
  Define<InCore, "buffer">(exports, "inCore");
  Define<PageSize>(exports, "pageSize");
}
