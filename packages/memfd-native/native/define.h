// Declares native functions: `Define<Ftruncate, "fd", "size">(exports, "ftruncate")` exports a C++ function whose
// parameters are read and checked by their types before it runs (args.h), and whose result is turned into JavaScript's.
//
// Parameters: int (int32), unsigned (32 bits, of either sign: what `|` made), int64_t (safe integers), bool,
// std::string (UTF-8), std::vector<int> (an array), Bytes, Numbers, Napi::Function; a leading Napi::Env is handed in.
// Results: int64_t (>= 0, or a negative errno), unique_fd (owned by JavaScript from then on; empty: the errno),
// Napi::Value.
//
// A thread that is being terminated can be told nothing any more: every Node-API call fails, and what should be thrown
// is dropped (NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS; without it node-addon-api aborts the process).
#pragma once
#include <napi.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <tuple>
#include <utility>

#include "args.h"
#include "environment.h"

/** What a system call answered, or the negative errno it left. */
inline int64_t ResultOf(int64_t result) { return result < 0 ? -errno : result; }

/** The negative errno of the call that has just failed, as a JavaScript value. */
inline Napi::Value Errno(Napi::Env env) { return Napi::Number::New(env, -errno); }

/** Results that are several numbers, into an array of JavaScript's: an object made here takes longer than most system calls. */
inline int64_t PutNumbers(const Numbers& out, std::initializer_list<double> numbers) {
  if (out.length < numbers.size()) return -EINVAL;
  std::copy(numbers.begin(), numbers.end(), out.data);
  return 0;
}

/** Runs a system call again that a signal interrupted. Never for close(2). */
template <typename Call>
auto Retry(Call call) {
  decltype(call()) result;
  do result = call();
  while (result < 0 && errno == EINTR);
  return result;
}

/** A string as a template argument. */
template <size_t N>
struct FixedString {
  char text[N];
  constexpr FixedString(const char (&from)[N]) { std::copy_n(from, N, text); }
};

inline Napi::Value ToJs(Napi::Env env, int64_t result) { return Napi::Number::New(env, static_cast<double>(result)); }
inline Napi::Value ToJs(Napi::Env, Napi::Value value) { return value; }
inline Napi::Value ToJs(Napi::Env env, unique_fd fd) {
  if (!fd.ok()) return Errno(env);
  return Napi::Number::New(env, Environment::Of(env).fds.Own(std::move(fd)));
}
/** A pair of new descriptors: [first, second]. */
inline Napi::Value ToJs(Napi::Env env, unique_fd first, unique_fd second) {
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, ToJs(env, std::move(first)));
  pair.Set(1u, ToJs(env, std::move(second)));
  return pair;
}

namespace args {

template <typename R, typename... A, size_t... I>
Napi::Value Call(const Napi::CallbackInfo& info, R (*function)(A...), const char* const* names,
                 std::index_sequence<I...>) {
  static_assert(sizeof...(A) == sizeof...(I), "one name for each parameter");
  std::tuple<A...> values;
  if (!(ReadArg(info[I], names[I], &std::get<I>(values)) && ...)) return {};
  return ToJs(info.Env(), function(std::move(std::get<I>(values))...));
}

template <typename R, typename... A, size_t... I>
Napi::Value Call(const Napi::CallbackInfo& info, R (*function)(Napi::Env, A...), const char* const* names,
                 std::index_sequence<I...>) {
  static_assert(sizeof...(A) == sizeof...(I), "one name for each parameter");
  std::tuple<A...> values;
  if (!(ReadArg(info[I], names[I], &std::get<I>(values)) && ...)) return {};
  return ToJs(info.Env(), function(info.Env(), std::move(std::get<I>(values))...));
}

template <auto Function, FixedString... Names>
Napi::Value Callback(const Napi::CallbackInfo& info) {
  constexpr std::array<const char*, sizeof...(Names) + 1> names{Names.text...};
  return Call(info, Function, names.data(), std::make_index_sequence<sizeof...(Names)>());
}

}  // namespace args

/** Exports `Function` under `name`; `Names` are its parameters, for the errors. */
template <auto Function, FixedString... Names>
void Define(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<args::Callback<Function, Names...>>(exports.Env(), name));
}
