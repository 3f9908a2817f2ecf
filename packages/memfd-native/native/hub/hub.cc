#include "hub.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include "../context.h"
#include "../environment.h"
#include "../families.h"
#include "shared_array.h"

namespace {

constexpr size_t kBatch = 64;  // events after which the others wait: their senders get on meanwhile
constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kLongestWait = 1'000'000;  // ns that an answer of a batch may wait for those after it, more or less

template <typename Owner, typename... Ints>
constexpr size_t CountOf(int (Owner::*)(Ints...)) {
  return sizeof...(Ints);
}

template <auto Method, typename Owner, size_t... I>
int Invoke(Owner& owner, const int32_t* args, std::index_sequence<I...>) {
  return (owner.*Method)(args[I]...);
}

napi_value ToJs(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

// What is missing is undefined: no number.
bool ReadInt(napi_env env, napi_value value, int32_t* out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= INT32_MIN && number <= INT32_MAX)) return false;
  *out = static_cast<int32_t>(number);
  return *out == number;
}

}  // namespace

// --- as JavaScript uses it ---------------------------------------------------------------------------------------------

// A method of the hub, or of a part of it, whose parameters are int32s. What is missing, or is none, is -EINVAL.
template <auto Part, auto Method>
napi_value Hub::Call(napi_env env, napi_callback_info info) {
  constexpr size_t kCount = CountOf(Method);
  size_t count = kCount;
  napi_value values[kCount + 1];
  void* data;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  Hub& hub = *static_cast<Hub*>(data);
  int32_t args[kCount + 1];
  for (size_t i = 0; i < kCount; i++) {
    if (!ReadInt(env, values[i], &args[i])) return ToJs(env, -EINVAL);
  }
  if constexpr (std::is_null_pointer_v<decltype(Part)>) {
    return ToJs(env, Invoke<Method>(hub, args, std::make_index_sequence<kCount>()));
  } else {
    return ToJs(env, Invoke<Method>(hub.*Part, args, std::make_index_sequence<kCount>()));
  }
}

// (slot, length, rest): as Call, of Outlet::SendWith.
napi_value Hub::SendWith(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value values[3];
  void* data;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  int32_t slot, length;
  Bytes rest;
  napi_typedarray_type type;
  const bool is_valid = ReadInt(env, values[0], &slot) && ReadInt(env, values[1], &length) &&
                        napi_get_typedarray_info(env, values[2], &type, &rest.length, reinterpret_cast<void**>(&rest.data),
                                                 nullptr, nullptr) == napi_ok &&
                        type == napi_uint8_array;
  return ToJs(env, is_valid ? static_cast<Hub*>(data)->outlet_.SendWith(slot, length, rest) : -EINVAL);
}

// hubCreate(callback, { arena, events, fds, outgoing, targets, cells, deferred, batch }) -> { add, remove, interest, ... }
napi_value Hub::Create(napi_env env, napi_callback_info info) {
  constexpr struct {
    const char* name;
    napi_callback call;
  } kMethods[] = {
      {"add", Call<&Hub::sockets_, &Sockets::Add>},
      {"remove", Call<nullptr, &Hub::Remove>},
      {"detach", Call<nullptr, &Hub::Detach>},
      {"takeIn", Call<nullptr, &Hub::TakeIn>},
      {"interest", Call<&Hub::sockets_, &Sockets::SetInterest>},
      {"renumber", Call<&Hub::sockets_, &Sockets::Renumber>},
      {"stopCredentials", Call<&Hub::sockets_, &Sockets::StopCredentials>},
      {"widenSendBuffer", Call<&Hub::sockets_, &Sockets::WidenSendBuffer>},
      {"unread", Call<&Hub::sockets_, &Sockets::Unread>},
      {"hasHungUp", Call<&Hub::sockets_, &Sockets::HasHungUp>},
      {"join", Call<&Hub::sockets_, &Sockets::Join>},
      {"closeGroup", Call<&Hub::sockets_, &Sockets::CloseGroup>},
      {"admit", Call<&Hub::sockets_, &Sockets::Admit>},
      {"openGroup", Call<&Hub::sockets_, &Sockets::OpenGroup>},
      {"send", Call<&Hub::outlet_, &Outlet::Send>},
      {"sendWith", SendWith},
      {"broadcast", Call<&Hub::outlet_, &Outlet::Broadcast>},
      {"flush", Call<&Hub::outlet_, &Outlet::Flush>},
      {"refuse", Call<&Hub::outlet_, &Outlet::Refuse>},
      {"batchTime", Call<nullptr, &Hub::BatchTime>},
      {"ref", Call<nullptr, &Hub::SetRef>},
  };
  size_t argc = 2;
  napi_value argv[2];
  napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr);
  std::unique_ptr<Hub> hub(new Hub(env));
  if (!hub->inbox_.TakeArrays(argv[1]) || !hub->outlet_.TakeArrays(env, argv[1]) || !hub->TakeBatch(argv[1])) return nullptr;

  const int missing = EventLoop::Of(env, &hub->loop_);
  if (missing < 0) return ToJs(env, missing);
  hub->Start();
  napi_create_reference(env, argv[0], 1, &hub->callback_);

  napi_value result;
  napi_create_object(env, &result);
  for (const auto& [name, call] : kMethods) {
    napi_property_descriptor method = {name, nullptr, call, nullptr, nullptr, nullptr, napi_enumerable, hub.get()};
    napi_define_properties(env, result, 1, &method);
  }
  // From here the environment's end is what deletes the hub.
  hub.release();
  return result;
}

// False: it has thrown.
bool Hub::TakeBatch(napi_value arrays) {
  size_t length;
  batch_ = SharedArray<Batch>(env_, arrays, "batch", &length);
  if (batch_ == nullptr || length >= sizeof(Batch) / sizeof(int32_t)) return batch_ != nullptr;
  ThrowArgType(env_, "batch", "long enough for what is told of a batch");
  return false;
}

// (slot): closes the descriptor.
int Hub::Remove(int slot) {
  unique_fd fd = sockets_.TakeOut(slot, ReuseNow());
  return fd.ok() ? 0 : -EBADF;
}

// (slot) -> the descriptor, JavaScript's from here on.
int Hub::Detach(int slot) {
  unique_fd fd = sockets_.TakeOut(slot, ReuseNow());
  return fd.ok() ? Environment::Of(env_).fds.Own(std::move(fd)) : -EBADF;
}

// (slot, next): of the events that JavaScript has not told, which are those from `next` on (-1: all that were handed over have been), the
// first that is a packet or the end of this socket; where there is none, what the kernel has. -> its number, good until the next
// call; -EAGAIN: nothing has come.
int Hub::TakeIn(int slot, int next) {
  if (!sockets_.IsOpen(slot) || sockets_[slot].door != nullptr) return -EBADF;
  const int untold = inbox_.FindUntold(slot, next < 0 ? handed_over_.events : static_cast<size_t>(next));
  if (untold >= 0 || sockets_[slot].ended || inbox_.IsFull()) return untold >= 0 ? untold : -EAGAIN;
  const Extent before = inbox_.used();
  inbox_.ReceiveNow(slot);
  const bool has_come = inbox_.used().events > before.events;
  inbox_.Rewind(before);
  // Of one that has ended nothing more is to be told: it would be ready for ever.
  if (sockets_[slot].ended) sockets_.UpdateInterest(slot, 0);
  return has_come ? static_cast<int>(before.events) : -EAGAIN;
}

// -> microseconds that the last batch took, with the microtasks that it left
int Hub::BatchTime() { return static_cast<int>(std::min<uint64_t>(batch_time_ / 1000, INT32_MAX)); }

int Hub::SetRef(int on) {
  if (loop_.thread != nullptr) {
    on ? loop_.thread->Ref() : loop_.thread->Unref();
    return 0;
  }
  auto* handle = reinterpret_cast<uv_handle_t*>(&check_);  // SAFETY: every libuv handle begins with those members
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
  return 0;
}

// --- batches ---------------------------------------------------------------------------------------------------------

void Hub::OnReady(int slot, int events) {
  if (inbox_.IsFull()) return;  // by the batches around this one
  inbox_.Receive(slot, events);
  if (NewEvents() >= kBatch || inbox_.IsFull()) Dispatch();
}

// Between the first statement and the last a handler may run the event loop, and all of this once more.
void Hub::Dispatch() {
  const Extent outer = handed_over_;
  const size_t count = NewEvents();
  handed_over_ = inbox_.used();
  has_rest_ = has_rest_ || count > 1;
  HandOver(outer.events, count);
  if (NewEvents() > 0) Dispatch();
  inbox_.Rewind(outer);
  handed_over_ = outer;
  has_rest_ = false;
  // All that was handed over has been told, that of the batches around this one too.
  inbox_.EndBatch();
  sockets_.EndBatch();
}

void Hub::HandOver(size_t first, size_t count) {
  napi_handle_scope scope;
  napi_open_handle_scope(env_, &scope);
  napi_value callback;
  napi_get_reference_value(env_, callback_, &callback);
  // Where handlers take their time, a finished answer must not wait for many of them.
  uint64_t may_wait = std::min<uint64_t>(outlet_.deferred_capacity(), kLongestWait / std::max<uint64_t>(pace_, 1));
  uint64_t start = uv_hrtime();
  // As numbers in memory: to make them values of JavaScript's takes longer than to read the clock.
  *batch_ = {static_cast<int32_t>(first),         static_cast<int32_t>(count),
             static_cast<int32_t>(may_wait),      static_cast<int32_t>(turn_),
             static_cast<int32_t>(start / kSecond), static_cast<int32_t>(start % kSecond)};
  // All that a thread receives comes by this hub: whose context it was made in has nothing to do with it.
  napi_status status = CallInNoContext(env_, callback, 0, nullptr, nullptr);
  batch_time_ = uv_hrtime() - start;
  pace_ = batch_time_ / std::max<size_t>(count, 1);
  if (status == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env_, &error);
    status = napi_fatal_exception(env_, error);
  }
  // This thread is being ended. Node stops its loop once, which a loop that a handler ran may have taken for itself.
  if (status != napi_ok) loop_.Stop();
  napi_close_handle_scope(env_, scope);
}

// --- life ------------------------------------------------------------------------------------------------------------

void Hub::Start() {
  sockets_.Start(loop_);
  if (loop_.thread == nullptr) {
    StartHandles();
  } else {
    loop_.thread->SetObserver(this);
    handles_ = 1;
  }
  cleanup_.Add<&Hub::Shutdown>(env_, loop_.ClosesLater(), this);
}

void Hub::EndTurn() {
  if (NewEvents() > 0) Dispatch();
  turn_ += 1;
}

void Hub::StartHandles() {
  uv_check_init(loop_.uv, &check_);
  uv_check_start(&check_, [](uv_check_t* check) { static_cast<Hub*>(check->data)->EndTurn(); });
  uv_prepare_init(loop_.uv, &prepare_);
  uv_prepare_start(&prepare_, [](uv_prepare_t* prepare) {
    Hub* hub = static_cast<Hub*>(prepare->data);
    if (!hub->has_rest_) return;
    uv_idle_start(&hub->idle_, [](uv_idle_t* idle) { uv_idle_stop(idle); });
    hub->Dispatch();
  });
  uv_idle_init(loop_.uv, &idle_);
  for (uv_handle_t* handle : Own()) {
    handle->data = this;
    uv_unref(handle);
    handles_ += 1;
  }
}

void Hub::Shutdown() {
  for (int i = 0; i < sockets_.size(); i++) sockets_.TakeOut(i, ReuseNow());
  if (loop_.thread != nullptr) {
    loop_.thread->SetObserver(nullptr);
    loop_.thread->TellForgotten();
    handles_ -= 1;
    OnHandleClosed();
    return;
  }
  for (uv_handle_t* handle : Own()) {
    uv_close(handle, [](uv_handle_t* handle) {
      Hub* hub = static_cast<Hub*>(handle->data);
      hub->handles_ -= 1;
      hub->OnHandleClosed();
    });
  }
}

// SAFETY: as in SetRef
std::array<uv_handle_t*, 3> Hub::Own() {
  return {reinterpret_cast<uv_handle_t*>(&check_), reinterpret_cast<uv_handle_t*>(&prepare_),
          reinterpret_cast<uv_handle_t*>(&idle_)};
}

// Its own handles are open until the end.
void Hub::OnHandleClosed() {
  if (handles_ > 0 || sockets_.polls() > 0) return;
  std::unique_ptr<Hub> hub(this);
  cleanup_.Remove();
}

void RegisterHub(Napi::Env env, Napi::Object exports) {
  napi_value create;
  napi_create_function(env, "hubCreate", NAPI_AUTO_LENGTH, Hub::Create, nullptr, &create);
  exports.Set("hubCreate", create);
}
