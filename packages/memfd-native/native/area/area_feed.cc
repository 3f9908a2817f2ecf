// A watcher's feed for JavaScript: which keys of an area have changed since it was asked last.
#include "../families.h"
#include "attached_area.h"
#include "feed.h"
#include "node_call.h"

namespace area {

struct NodeFeed {
  std::shared_ptr<AttachedArea> area;
  Feed<LiveMemory> feed;
};

namespace {

int64_t OpenFeed(Napi::Env env, int64_t handle, std::string prefix) {
  Environment& environment = Environment::Of(env);
  std::shared_ptr<AttachedArea>* area = environment.areas.Find(handle);
  if (area == nullptr) return -EBADF;
  if (environment.feeds.Full()) return -ENOMEM;
  Feed<LiveMemory> feed((*area)->reader, std::move(prefix), kTries);
  return environment.feeds.Insert(std::make_shared<NodeFeed>(NodeFeed{*area, std::move(feed)}));
}

int64_t CloseFeed(Napi::Env env, int64_t handle) {
  Environment::Of(env).feeds.Take(handle);
  return 0;
}

int64_t MoveFeed(Napi::Env env, int64_t handle, int64_t to) {
  Environment& environment = Environment::Of(env);
  std::shared_ptr<NodeFeed>* feed = environment.feeds.Find(handle);
  std::shared_ptr<AttachedArea>* area = environment.areas.Find(to);
  if (feed == nullptr || area == nullptr) return -EBADF;
  (*feed)->area = *area;
  (*feed)->feed.MoveTo((*area)->reader);
  return 0;
}

int64_t TakeKnown(Napi::Env env, int64_t handle, int64_t from) {
  Environment& environment = Environment::Of(env);
  std::shared_ptr<NodeFeed>* feed = environment.feeds.Find(handle);
  std::shared_ptr<NodeFeed>* other = environment.feeds.Find(from);
  if (feed == nullptr || other == nullptr) return -EBADF;
  if (feed != other) (*feed)->feed.TakeKnown((*other)->feed);
  return 0;
}

/** 0: what is there is known; or why not. */
int64_t SkipPresent(Napi::Env env, int64_t handle) {
  std::shared_ptr<NodeFeed>* feed = Environment::Of(env).feeds.Find(handle);
  if (feed == nullptr || !(*feed)->area->memory.ok()) return -EBADF;
  return ErrorOf((*feed)->feed.SkipPresent());
}

/** -> [why not all, key, version, has a value, key, ...]: 0, -EINPROGRESS there are more, or -EAGAIN. Or why nothing. */
Napi::Value Poll(Napi::Env env, int64_t handle) {
  std::shared_ptr<NodeFeed>* feed = Environment::Of(env).feeds.Find(handle);
  if (feed == nullptr || !(*feed)->area->memory.ok()) return ToJs(env, -EBADF);
  std::vector<Change> changes;
  const Code code = (*feed)->feed.Poll(&changes);
  if (code != Code::kValue && code != Code::kBusy) return ToJs(env, ErrorOf(code));
  Napi::Array result = Napi::Array::New(env, 1 + 3 * changes.size());
  uint32_t at = 0;
  const int64_t why = code == Code::kBusy && (*feed)->feed.has_more() ? -EINPROGRESS : ErrorOf(code);
  result.Set(at++, Napi::Number::New(env, static_cast<double>(why)));
  for (const Change& change : changes) {
    result.Set(at++, Napi::String::New(env, change.key));
    result.Set(at++, Napi::BigInt::New(env, change.version));
    result.Set(at++, Napi::Boolean::New(env, change.has_value));
  }
  return result;
}

}  // namespace
}  // namespace area

void RegisterAreaFeed(Napi::Env env, Napi::Object exports) {
  using namespace area;
  Define<OpenFeed, "handle", "prefix">(exports, "areaOpenFeed");
  Define<CloseFeed, "feed">(exports, "areaCloseFeed");
  Define<MoveFeed, "feed", "handle">(exports, "areaMoveFeed");
  Define<TakeKnown, "feed", "from">(exports, "areaTakeKnown");
  Define<SkipPresent, "feed">(exports, "areaSkipPresent");
  Define<Poll, "feed">(exports, "areaPoll");
}
