// Memory that JavaScript sees itself: ArrayBuffers over it. What they show belongs to them too, and lives as long.
//
// An ArrayBuffer can be moved away, by transfer() or a byte stream, and then to another thread, which outlives this one;
// but Node calls its finalizer at the latest when the thread ends that made it. So when that ends, what has been moved
// away stays as it is, for the rest of the process: nobody can tell any more when it is let go.
//
// Node ends the buffers of a thread from the newest to the oldest, before anything else of the addon, and detaches each
// first. So there is always one that is newer than those that count: when that one ends, the others still tell.
#pragma once
#include <node_api.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <unordered_set>
#include <utility>

class LentMemory {
 public:
  LentMemory() = default;
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;

  /** For a runtime that calls finalizers when nobody has the buffer any more, whoever that is, but in any thread (Deno). */
  void TrackNothing() { tracks_ = false; }

  /**
   * An ArrayBuffer over memory that `owner` keeps. Null where the runtime allows none over memory outside its heap, and with an
   * exception pending (ERR_BUFFER_TOO_LARGE) where it is larger than any may be.
   */
  napi_value Lend(napi_env env, void* data, size_t length, std::shared_ptr<void> owner) {
    if (!tracks_) return LendUntracked(env, data, length, std::move(owner));
    auto loan = std::make_unique<Loan>(Loan{this, std::move(owner), length, nullptr});
    napi_value buffer = nullptr;
    const napi_status status = napi_create_external_arraybuffer(env, data, length, OnLoanEnd, loan.get(), &buffer);
    // What is too large for a Buffer Node has taken, and ends it, now or later; in all other cases it is still ours.
    if (status == napi_generic_failure) loan.release();
    if (status != napi_ok) return nullptr;
    napi_create_reference(env, buffer, 0, &loan->buffer);
    loans_.insert(loan.release());
    Watch(env);
    return buffer;
  }

  /** Of all threads: bytes that moved away from a thread that has ended. */
  static inline std::atomic<size_t> left_bytes{0};

 private:
  struct Loan {
    LentMemory* lender;
    std::shared_ptr<void> owner;
    size_t length;
    napi_ref buffer;  // weak
  };
  struct Newest {
    LentMemory* lender;
    napi_ref buffer;
  };

  static napi_value LendUntracked(napi_env env, void* data, size_t length, std::shared_ptr<void> owner) {
    auto kept = std::make_unique<std::shared_ptr<void>>(std::move(owner));
    napi_value buffer = nullptr;
    auto end = [](napi_env, void*, void* kept) { delete static_cast<std::shared_ptr<void>*>(kept); };
    if (napi_create_external_arraybuffer(env, data, length, end, kept.get(), &buffer) != napi_ok) return nullptr;
    kept.release();
    return buffer;
  }

  static void OnLoanEnd(napi_env env, void*, void* hint) {
    std::unique_ptr<Loan> loan(static_cast<Loan*>(hint));
    loan->lender->loans_.erase(loan.get());
    napi_delete_reference(env, loan->buffer);
  }

  /** From here on there is a newer buffer than all that are lent. */
  void Watch(napi_env env) {
    if (newest_ != nullptr) napi_delete_reference(env, newest_->buffer);
    newest_ = new Newest{this, nullptr};  // deleted by its finalizer
    napi_value buffer = nullptr;
    if (napi_create_external_arraybuffer(env, newest_, 1, OnNewestEnd, newest_, &buffer) == napi_ok) {
      napi_create_reference(env, buffer, 1, &newest_->buffer);
      return;
    }
    delete std::exchange(newest_, nullptr);  // this thread is being ended
  }

  /** The thread ends, unless it was the newest before. */
  static void OnNewestEnd(napi_env env, void*, void* hint) {
    std::unique_ptr<Newest> ended(static_cast<Newest*>(hint));
    LentMemory* lender = ended->lender;
    if (lender->newest_ != ended.get()) return;
    lender->newest_ = nullptr;
    for (const Loan* loan : lender->loans_) {
      if (!HasMoved(env, *loan)) continue;
      left_bytes += loan->length;
      new std::shared_ptr<void>(loan->owner);  // never let go
    }
  }

  static bool HasMoved(napi_env env, const Loan& loan) {
    napi_value buffer = nullptr;
    bool is_detached = true;
    napi_get_reference_value(env, loan.buffer, &buffer);
    if (buffer != nullptr) napi_is_detached_arraybuffer(env, buffer, &is_detached);
    return is_detached;
  }

  bool tracks_ = true;
  Newest* newest_ = nullptr;
  std::unordered_set<Loan*> loans_;
};
