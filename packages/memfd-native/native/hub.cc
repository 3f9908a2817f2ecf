// The hub as JavaScript uses it: sockets come and go; and how it begins and ends.
#include "hub.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cmath>
#include <iterator>
#include <memory>

#include "args.h"
#include "environment.h"
#include "families.h"
#include "lasting_array.h"

namespace {

constexpr int kSoPassRights = 83;  // SO_PASSRIGHTS, Linux 6.16

// Room for credentials where they come (SO_PASSCRED) and, only where descriptors are taken, for as many as the kernel ever
// sends. Credentials come first and with every packet, and fill their size exactly: rights cannot slip into its padding.
size_t ControlSize(int fd, bool takes_fds) {
  if (takes_fds) return CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(kMaxFds * sizeof(int));
  int pass_credentials = 0;
  socklen_t size = sizeof(pass_credentials);
  getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &pass_credentials, &size);
  return pass_credentials ? CMSG_SPACE(sizeof(ucred)) : 0;
}

// Whether descriptors are refused where they are sent (Linux 6.16): elsewhere only recvmsg(2) tells that some came.
bool RefusesRights(int fd) {
  int pass_rights = 1;
  socklen_t size = sizeof(pass_rights);
  return getsockopt(fd, SOL_SOCKET, kSoPassRights, &pass_rights, &size) == 0 && pass_rights == 0;
}

}  // namespace

// (fd, listener, takesFds) -> slot. The hub owns the descriptor from here on, also when it answers an errno.
napi_value Hub::AddSocket(const int32_t* args) {
  unique_fd fd(args[0]);
  int index;
  if (free_.empty()) {
    index = static_cast<int>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.fd = std::move(fd);
  slot.listener = args[1] != 0;
  slot.takes_fds = args[2] != 0;
  int error = NewPoll(index, slot.fd.get(), &slot.poll);
  if (error < 0) {
    slot = Slot();
    free_.push_back(index);
    return Int(error);
  }
  slot.control_size = ControlSize(slot.fd.get(), slot.takes_fds);
  slot.refuses_fds = !slot.listener && !slot.takes_fds && RefusesRights(slot.fd.get());
  UpdateInterest(index, kReading);
  return Int(index);
}

// (slot): closes the descriptor.
napi_value Hub::RemoveSocket(const int32_t* args) {
  unique_fd fd = TakeOut(args[0]);
  return Int(fd.ok() ? 0 : -EBADF);
}

// (slot) -> the descriptor, JavaScript's from here on.
napi_value Hub::Detach(const int32_t* args) {
  unique_fd fd = TakeOut(args[0]);
  return Int(fd.ok() ? Environment::Of(env_).fds.Own(std::move(fd)) : -EBADF);
}

// Empty: the slot is.
unique_fd Hub::TakeOut(int index) {
  if (!IsOpen(index)) return unique_fd();
  if (slots_[index].parked) groups_[slots_[index].group].parked.erase({slots_[index].ticket, index});
  ClosePoll(index);
  unique_fd fd = std::move(slots_[index].fd);
  slots_[index] = Slot();
  (used_.events == 0 ? free_ : freed_in_batch_).push_back(index);
  return fd;
}

// (slot, readable, writable)
napi_value Hub::SetInterest(const int32_t* args) {
  if (!IsOpen(args[0])) return Int(-EBADF);
  return Int(UpdateInterest(args[0], (args[1] ? kReading : 0) | (args[2] ? UV_WRITABLE : 0)));
}

int Hub::UpdateInterest(int index, int interest) {
  Slot& slot = slots_[index];
  slot.wanted = interest;
  if (slot.parked) interest &= ~kReading;
  if (slot.interest == interest) return 0;
  slot.interest = interest;
  return interest == 0 ? uv_poll_stop(&slot.poll->handle) : uv_poll_start(&slot.poll->handle, interest, OnReady);
}

// A handle for the descriptor, stopped. A negative errno: libuv cannot poll it.
int Hub::NewPoll(int index, int fd, Poll** out) {
  auto poll = std::make_unique<Poll>();
  int error = uv_poll_init(loop_, &poll->handle, fd);
  if (error < 0) return error;
  poll->hub = this;
  poll->slot = index;
  // SAFETY: every libuv handle begins with the members of uv_handle_t; the same below.
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll->handle));
  handles_ += 1;
  *out = poll.release();
  return 0;
}

// Before the descriptor closes: a description that somebody else still holds (a fork, a packet in flight) would go on to be
// polled. The memory goes in the next turn of the loop.
void Hub::ClosePoll(int index) {
  Poll* poll = slots_[index].poll;
  poll->slot = -1;
  slots_[index].poll = nullptr;
  slots_[index].interest = 0;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle), [](uv_handle_t* handle) {
    std::unique_ptr<Poll> poll(reinterpret_cast<Poll*>(handle));  // SAFETY: the handle is its first member
    poll->hub->OnClosed();
  });
}

// (slot, lowest): another number for the same socket, the first free one from `lowest` up.
napi_value Hub::Renumber(const int32_t* args) {
  if (!IsOpen(args[0])) return Int(-EBADF);
  Slot& slot = slots_[args[0]];
  unique_fd fd(fcntl(slot.fd.get(), F_DUPFD_CLOEXEC, args[1]));
  if (!fd.ok()) return Int(-errno);
  Poll* poll;
  int error = NewPoll(args[0], fd.get(), &poll);
  if (error < 0) return Int(error);
  int interest = slot.wanted;
  ClosePoll(args[0]);
  slot.fd = std::move(fd);
  slot.poll = poll;
  return Int(UpdateInterest(args[0], interest));
}

// (slot): packets tell no more who sent them (SO_PASSCRED), which costs their sender and this side something each time.
napi_value Hub::StopCredentials(const int32_t* args) {
  if (!IsOpen(args[0])) return Int(-EBADF);
  Slot& slot = slots_[args[0]];
  int off = 0;
  if (setsockopt(slot.fd.get(), SOL_SOCKET, SO_PASSCRED, &off, sizeof(off)) < 0) return Int(-errno);
  if (!slot.takes_fds) slot.control_size = 0;
  return Int(0);
}

// (slot): bytes of the kernel's memory that the peer has not read.
napi_value Hub::Unread(const int32_t* args) {
  if (!IsOpen(args[0])) return Int(-EBADF);
  int bytes = 0;
  return Int(ioctl(slots_[args[0]].fd.get(), SIOCOUTQ, &bytes) < 0 ? -errno : bytes);
}

bool Hub::IsOpen(int index) const {
  return index >= 0 && static_cast<size_t>(index) < slots_.size() && slots_[index].fd.ok();
}

napi_value Hub::SetRef(const int32_t* args) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&check_);  // SAFETY: as in NewPoll
  if (args[0]) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
  return Int(0);
}

napi_value Hub::Int(int32_t value) {
  napi_value result;
  napi_create_int32(env_, value, &result);
  return result;
}

template <napi_value (Hub::*Method)(const int32_t*), size_t Count>
napi_value Hub::Call(napi_env env, napi_callback_info info) {
  size_t count = Count;
  napi_value values[Count + 1];
  void* data;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  int32_t args[Count + 1];
  for (size_t i = 0; i < Count; i++) {
    double number;
    // What is missing is undefined: no number.
    if (napi_get_value_double(env, values[i], &number) != napi_ok || !(number >= INT32_MIN && number <= INT32_MAX) ||
        number != std::trunc(number)) {
      return static_cast<Hub*>(data)->Int(-EINVAL);
    }
    args[i] = static_cast<int32_t>(number);
    if (args[i] != number) return static_cast<Hub*>(data)->Int(-EINVAL);
  }
  return (static_cast<Hub*>(data)->*Method)(args);
}

// --- life ------------------------------------------------------------------------------------------------------------

namespace {

// One of the arrays by its name. Throws and answers null when it is none that lasts.
template <typename T>
T* Shared(napi_env env, napi_value arrays, const char* name, size_t* length) {
  napi_value array;
  void* data = nullptr;
  if (napi_get_named_property(env, arrays, name, &array) == napi_ok) {
    data = LastingArray(env, array, sizeof(T) == 1 ? napi_uint8_array : napi_int32_array, length);
  }
  if (data == nullptr) ThrowArgType(env, name, "an array of bytes, or of int32s, in a SharedArrayBuffer");
  // SAFETY: T is a byte, or consists of int32s; the array begins its buffer.
  return static_cast<T*>(data);
}

}  // namespace

// hubCreate(callback, { arena, events, fds, outgoing, targets, cells, deferred }) -> { add, remove, interest, ... }. The
// last 253 entries of fds are for sending.
napi_value Hub::Create(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2];
  napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr);
  std::unique_ptr<Hub> hub(new Hub(env));
  if (!hub->TakeArrays(argv[1])) return nullptr;

  hub->Start();
  napi_create_reference(env, argv[0], 1, &hub->callback_);
  napi_value name;
  napi_create_string_utf8(env, "memfd-native:hub", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, nullptr, name, &hub->context_);

  napi_value result;
  napi_create_object(env, &result);
  const napi_property_descriptor methods[] = {
      {"add", nullptr, Call<&Hub::AddSocket, 3>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"remove", nullptr, Call<&Hub::RemoveSocket, 1>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"interest", nullptr, Call<&Hub::SetInterest, 3>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"renumber", nullptr, Call<&Hub::Renumber, 2>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"stopCredentials", nullptr, Call<&Hub::StopCredentials, 1>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"unread", nullptr, Call<&Hub::Unread, 1>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"detach", nullptr, Call<&Hub::Detach, 1>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"send", nullptr, Call<&Hub::Send, 3>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"broadcast", nullptr, Call<&Hub::Broadcast, 3>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"flush", nullptr, Call<&Hub::Flush, 2>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"join", nullptr, Call<&Hub::Join, 2>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"closeGroup", nullptr, Call<&Hub::CloseGroup, 1>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"admit", nullptr, Call<&Hub::Admit, 2>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"openGroup", nullptr, Call<&Hub::OpenGroup, 1>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"batchTime", nullptr, Call<&Hub::BatchTime, 0>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
      {"ref", nullptr, Call<&Hub::SetRef, 1>, nullptr, nullptr, nullptr, napi_enumerable, hub.get()},
  };
  napi_define_properties(env, result, std::size(methods), methods);
  // From here the environment's end is what deletes the hub.
  hub.release();
  return result;
}

bool Hub::TakeArrays(napi_value arrays) {
  size_t events, fds, targets, cells, deferred;
  arena_ = Shared<uint8_t>(env_, arrays, "arena", &arena_size_);
  events_ = arena_ ? Shared<Event>(env_, arrays, "events", &events) : nullptr;
  fds_ = events_ ? Shared<int32_t>(env_, arrays, "fds", &fds) : nullptr;
  outgoing_ = fds_ ? Shared<uint8_t>(env_, arrays, "outgoing", &outgoing_size_) : nullptr;
  targets_ = outgoing_ ? Shared<Target>(env_, arrays, "targets", &targets) : nullptr;
  cells_ = targets_ ? Shared<uint8_t>(env_, arrays, "cells", &cells) : nullptr;
  deferred_ = cells_ ? Shared<Deferred>(env_, arrays, "deferred", &deferred) : nullptr;
  if (deferred_ == nullptr) return false;
  events_capacity_ = events / kEventInts;
  fds_capacity_ = fds < kMaxFds ? 0 : fds - kMaxFds;
  targets_capacity_ = targets / (sizeof(Target) / sizeof(int32_t));
  deferred_capacity_ = deferred / (sizeof(Deferred) / sizeof(int32_t));
  cell_size_ = deferred_capacity_ == 0 ? 0 : cells / deferred_capacity_;
  return true;
}

void Hub::Start() {
  napi_get_uv_event_loop(env_, &loop_);
  uv_check_init(loop_, &check_);
  uv_check_start(&check_, [](uv_check_t* check) {
    Hub* hub = static_cast<Hub*>(check->data);
    if (hub->used_.events > hub->handed_over_.events) hub->Dispatch();
    hub->turn_ += 1;
  });
  uv_prepare_init(loop_, &prepare_);
  uv_prepare_start(&prepare_, [](uv_prepare_t* prepare) {
    Hub* hub = static_cast<Hub*>(prepare->data);
    if (!hub->has_rest_) return;
    uv_idle_start(&hub->idle_, [](uv_idle_t* idle) { uv_idle_stop(idle); });
    hub->Dispatch();
  });
  uv_idle_init(loop_, &idle_);
  for (uv_handle_t* handle : Own()) {
    handle->data = this;
    uv_unref(handle);
    handles_ += 1;
  }
  // Async, because libuv needs one more turn of the loop to let go of the handles before their memory may go.
  napi_add_async_cleanup_hook(
      env_, [](napi_async_cleanup_hook_handle, void* data) { static_cast<Hub*>(data)->Shutdown(); }, this, &cleanup_);
}

void Hub::Shutdown() {
  for (size_t i = 0; i < slots_.size(); i++) TakeOut(static_cast<int>(i));
  for (uv_handle_t* handle : Own()) {
    uv_close(handle, [](uv_handle_t* handle) { static_cast<Hub*>(handle->data)->OnClosed(); });
  }
}

// SAFETY: as in NewPoll
std::array<uv_handle_t*, 3> Hub::Own() {
  return {reinterpret_cast<uv_handle_t*>(&check_), reinterpret_cast<uv_handle_t*>(&prepare_),
          reinterpret_cast<uv_handle_t*>(&idle_)};
}

// Its own handles are among those that are open until the end.
void Hub::OnClosed() {
  handles_ -= 1;
  if (handles_ > 0) return;
  std::unique_ptr<Hub> hub(this);
  napi_remove_async_cleanup_hook(cleanup_);
}

void RegisterHub(Napi::Env env, Napi::Object exports) {
  napi_value create;
  napi_create_function(env, "hubCreate", NAPI_AUTO_LENGTH, Hub::Create, nullptr, &create);
  exports.Set("hubCreate", create);
}
