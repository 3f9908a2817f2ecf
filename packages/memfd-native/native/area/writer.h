// The owner of an area: transactions, retiring, the end (docs/protocol.md, 9.2). No policy: who may write, what it may cost and
// when deleted keys are retired is decided above. One thread.
#pragma once
#include <cerrno>
#include <span>
#include <unordered_set>
#include <vector>

#include "plan.h"

namespace area {

template <class Memory>
class Writer {
 public:
  /** Of memory that is zeros. */
  Writer(Memory memory, const Geometry& geometry, const Allocator::Tuning& tuning)
      : memory(memory), geometry_(geometry), heap_(this->memory, geometry_, tuning), table_(this->memory, geometry_, heap_),
        plan_(this->memory, heap_, table_, tuning.spares), tx_(geometry.base), begin_(geometry.base) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Memory memory;

  /** Writes the header. 0 or a negative errno. */
  int Begin(int index_log2) {
    const int error = memory.Allocate(0, geometry_.entries_at);
    if (error != 0) return error;
    memory.template Store<Site::kInform>(kMagicAt, kMagic);
    memory.template Store32<Site::kInform>(kLayoutAt, kLayout);
    memory.template Store32<Site::kInform>(kHeaderBytesAt, kHeaderBytes);
    memory.template Store<Site::kInform>(kCapacityAt, geometry_.capacity);
    memory.template Store<Site::kInform>(kEntriesAtAt, geometry_.entries_at);
    memory.template Store32<Site::kInform>(kMaxEntriesAt, geometry_.max_entries);
    memory.template Store32<Site::kInform>(kLogSizeAt, geometry_.log_size);
    memory.template Store<Site::kInform>(kHeapAtAt, geometry_.heap_at);
    memory.template Store<Site::kInform>(kLogAtAt, geometry_.log_at);
    memory.template Store<Site::kInform>(kEpochAt, geometry_.epoch);
    memory.template Store<Site::kInform>(kBaseAt, geometry_.base);
    memory.template Store<Site::kCommit>(kCommittedAt, tx_);
    const int failed = table_.Begin(index_log2);
    plan_.KeepSpares();
    return failed;
  }

  /**
   * One change of one key, of a value that is there whole. As Commit; of a key that is there nothing has to be planned. Flat: that
   * way is so short that calling its functions would be a good part of it. What is rare stays out of it (gnu::noinline).
   */
  [[gnu::flatten]] int Put(Edit* edit, Type type, const void* data, uint32_t bytes, uint64_t* version) {
    *version = 0;
    edit->block = heap_.New(bytes, type);
    if (edit->block == 0) return -ENOSPC;
    heap_.Write(edit->block, 0, data, bytes);
    const uint32_t entry = state_ == kLive ? table_.Find(edit->key, edit->before) : kNoEntry;
    if (entry == kNoEntry) {
      const int error = Commit(edit, 1, version);
      if (error != 0) heap_.FreeWiped(edit->block);
      return error;
    }
    Planned change{edit, entry, false, false, 0};
    *version = Publish({&change, 1});
    return 0;
  }

  /** A block for a value to come, private until it is committed. 0: no room. Ends by Commit or Abandon. */
  uint64_t Reserve(uint32_t bytes, Type type) {
    const uint64_t block = heap_.New(bytes, type);
    if (block != 0) reserved_.insert(block);
    return block;
  }
  bool IsReserved(uint64_t block) const { return reserved_.count(block) != 0; }
  uint32_t BytesIn(uint64_t block) const { return heap_.BytesIn(block); }
  void Write(uint64_t block, uint64_t position, const void* data, uint64_t count) {
    heap_.Write(block, position, data, count);
  }
  void Abandon(uint64_t block) {
    if (reserved_.erase(block) != 0) heap_.FreeWiped(block);
  }

  /**
   * Publishes all of them at once, or none. Of a key that is there twice the last one counts; to delete what is not there is no
   * change. `version`: 0 when nothing changed. The blocks are taken over, unless it fails: -ENOSPC, -ENFILE (too many keys),
   * -EXFULL (too many of one hash), -E2BIG (too many edits), -ESHUTDOWN (moved or closed).
   */
  [[gnu::noinline]] int Commit(Edit* edits, size_t count, uint64_t* version) {
    *version = 0;
    if (state_ != kLive) return -ESHUTDOWN;
    if (count > kMaxEdits) return -E2BIG;
    const int error = plan_.Make(edits, count);
    if (error != 0) return error;
    for (const uint64_t block : plan_.overridden()) Abandon(block);
    plan_.EnterNewKeys();
    if (!plan_.changes().empty()) *version = Publish(plan_.changes());
    plan_.End();
    return 0;
  }

  /** A value of before, with its version (at most what versions come after), for an area that nobody reads yet; in place of one it had. As Commit. */
  int Load(const Key& key, uint64_t block, uint64_t version) {
    if (tx_ != begin_ || state_ != kLive) return -EPERM;
    if (version == 0 || version > tx_) return -EINVAL;
    Edit edit{key, block};
    const int error = plan_.Make(&edit, 1);
    if (error != 0) return error;
    plan_.EnterNewKeys();
    FillAndShow(plan_.changes(), version);
    for (const Planned& planned : plan_.changes()) Settle(planned);
    memory.template Store32<Site::kInform>(kLiveKeysAt, live_keys_);
    plan_.End();
    return 0;
  }

  /**
   * What shall begin with everything that another area has: room for it, ahead of it. Again is harmless. 0 or a negative errno:
   * -ENOSPC the machine has no more.
   */
  int Prepare(uint32_t keys, uint64_t heap_bytes) {
    if (!heap_.Prepare(heap_bytes)) return -ENOSPC;
    return table_.Reserve(keys);
  }

  /** What versions come after, of an area that nobody reads yet and nothing is in. */
  int Rebase(uint64_t base) {
    if (tx_ != begin_ || live_keys_ != 0) return -EPERM;
    geometry_.base = tx_ = begin_ = base;
    memory.template Store<Site::kInform>(kBaseAt, base);
    memory.template Store<Site::kCommit>(kCommittedAt, tx_);
    return 0;
  }

  /**
   * Versions come after this one, and what lies between is never given. Of an area that somebody has, more are left out than the log has
   * records: so a watcher looks for none of them, and compares. 0, -EINVAL they are too few, -ESHUTDOWN.
   */
  int SkipTo(uint64_t version) {
    if (state_ != kLive) return -ESHUTDOWN;
    if (version <= tx_ || (tx_ != begin_ && version - tx_ <= geometry_.log_size)) return -EINVAL;
    if (tx_ == begin_) begin_ = version;
    tx_ = version;
    memory.template Store<Site::kCommit>(kCommittedAt, tx_);
    return 0;
  }

  /** Each key that has a value, and its block, until `visit` answers anything but 0. */
  template <class Visit>
  int EachValue(Visit visit) const {
    for (uint32_t entry = 0; entry < table_.count(); ++entry) {
      if (table_.UidOf(entry) == 0 || !plan_.HasValue(entry)) continue;
      uint8_t key[kMaxKeyBytes];
      const uint32_t length = table_.CopyKey(entry, key);
      const int error = visit(key, length, table_.RefOf(entry));
      if (error != 0) return error;
    }
    return 0;
  }
  uint8_t TypeIn(uint64_t block) const { return heap_.TypeIn(block); }
  uint64_t VersionIn(uint64_t block) const { return memory.template Load<Site::kOwn>(block + kBlockTxIn); }

  /** Makes up to `limit` keys that were deleted, longest ago first, free for others. Answers how many. */
  uint32_t Retire(uint32_t limit) {
    uint32_t done = 0;
    while (state_ == kLive && done < limit && !deleted_.empty()) {
      const uint32_t entry = deleted_.front();
      deleted_.pop_front();
      is_listed_[entry] = false;
      if (!IsDeleted(entry)) continue;
      RetireEntry(entry);
      ++done;
    }
    return done;
  }

  int Rebuild() { return state_ == kLive ? table_.Rebuild() : -ESHUTDOWN; }

  bool Has(const Key& key) const {
    const uint32_t entry = table_.Find(key);
    return entry != kNoEntry && plan_.HasValue(entry);
  }

  /** Another area has everything, and nobody has got that one yet: see 9.2. Nothing is written here any more. */
  void MarkMoved() {
    state_ = kMoved;
    memory.template Store32<Site::kNewState>(kStateAt, kMoved);
    for (uint32_t entry = 0; entry < table_.count(); ++entry) {
      memory.template Store<Site::kStampTx>(geometry_.EntryAt(entry) + kTxIn, ~uint64_t{0});
    }
    memory.template Store<Site::kStampNames>(kNamesAt, ~uint64_t{0});
  }
  void MarkClosed() {
    if (state_ != kLive) return;
    state_ = kClosed;
    memory.template Store32<Site::kNewState>(kStateAt, kClosed);
  }

  void SetReplica(uint32_t state, uint64_t applied, uint64_t contact) {
    memory.template Store<Site::kInform>(kAppliedAt, applied);
    memory.template Store<Site::kInform>(kContactAt, contact);
    memory.template Store32<Site::kNewState>(kReplicaStateAt, state);
  }

  uint64_t committed() const { return tx_; }
  size_t reserved() const { return reserved_.size(); }
  uint64_t live_bytes() const { return live_bytes_; }
  uint32_t live_keys() const { return live_keys_; }
  uint32_t deleted_keys() const { return table_.live() - live_keys_; }
  const Geometry& geometry() const { return geometry_; }
  const Heap<Memory>& heap() const { return heap_; }
  const KeyTable<Memory>& table() const { return table_; }

 private:
  bool IsDeleted(uint32_t entry) const {
    const uint64_t block = table_.RefOf(entry);
    return table_.UidOf(entry) != 0 && block != 0 && heap_.TypeIn(block) == kDeleted;
  }

  /** Changes of entries that are there. Answers their version. */
  uint64_t Publish(std::span<Planned> changes) {
    const uint64_t count = memory.Has(Repair::kNumberEachChange) ? changes.size() : 1;
    const uint64_t base = tx_;
    tx_ = base + count;
    FillAndShow(changes, tx_);
    uint64_t number = base;
    for (const Planned& planned : changes) {
      if (memory.Has(Repair::kNumberEachChange) || number == base) ++number;
      memory.template Store<Site::kRecord>(geometry_.RecordAt(number), RecordOf(tx_, planned.entry));
    }
    memory.template Store<Site::kCommit>(kCommittedAt, tx_);
    for (const Planned& planned : changes) Settle(planned);
    plan_.KeepSpares();
    memory.template Store32<Site::kInform>(kLiveKeysAt, live_keys_);
    return tx_;
  }

  /** Everything of each block, then block after block into sight. */
  void FillAndShow(std::span<Planned> changes, uint64_t version) {
    for (Planned& planned : changes) {
      const Found found{planned.entry, table_.UidOf(planned.entry)};
      planned.edit->before = found;
      planned.old = table_.RefOf(planned.entry);
      heap_.SetOwner(planned.edit->block, found.uid, planned.old);
    }
    for (const Planned& planned : changes) {
      const uint64_t entry = geometry_.EntryAt(planned.entry);
      memory.template Store<Site::kPublishTx>(planned.edit->block + kBlockTxIn, version);
      memory.template Store<Site::kPublishRef>(entry + kRefIn, planned.edit->block);
      memory.template Store<Site::kPublishEntryTx>(entry + kTxIn, version);
      Count(planned);
    }
  }

  void Count(const Planned& planned) {
    if (!reserved_.empty()) reserved_.erase(planned.edit->block);
    const bool had_value = planned.old != 0 && heap_.TypeIn(planned.old) != kDeleted;
    if (had_value) live_bytes_ -= heap_.BytesIn(planned.old);
    if (!planned.is_delete) live_bytes_ += heap_.BytesIn(planned.edit->block);
    live_keys_ += !planned.is_delete;
    live_keys_ -= had_value;
  }

  /** After the commit: what was before may go. */
  void Settle(const Planned& planned) {
    if (planned.is_delete) {
      heap_.FreeWiped(planned.old);
      heap_.WipeOf(table_.UidOf(planned.entry));
      if (planned.entry >= is_listed_.size()) is_listed_.resize(planned.entry + 1);
      if (!is_listed_[planned.entry]) deleted_.push_back(planned.entry);
      is_listed_[planned.entry] = true;
    } else if (planned.old != 0) {
      heap_.Free(planned.old);
    }
  }

  void RetireEntry(uint32_t entry) {
    const uint64_t retired = memory.template Load<Site::kOwn>(kRetiredAt);
    memory.template Store<Site::kRetire>(kRetiredAt, retired + 1);
    memory.template Fence<Site::kRetireFence>();
    if (memory.Has(Repair::kRetireStamps)) {
      ++tx_;
      memory.template Store<Site::kRetireEntryTx>(geometry_.EntryAt(entry) + kTxIn, tx_);
      memory.template Store<Site::kRecord>(geometry_.RecordAt(tx_), RecordOf(tx_, kNoEntry));
      memory.template Store<Site::kRetireCommit>(kCommittedAt, tx_);
    }
    const uint64_t block = table_.RefOf(entry);
    table_.Drop(entry);
    heap_.Free(block);
  }

  Geometry geometry_;
  Heap<Memory> heap_;
  KeyTable<Memory> table_;
  Plan<Memory> plan_;
  uint64_t tx_;
  uint64_t begin_;  // what tx_ is before the first transaction
  State state_ = kLive;
  uint64_t live_bytes_ = 0;
  uint32_t live_keys_ = 0;
  std::unordered_set<uint64_t> reserved_;
  std::deque<uint32_t> deleted_;
  std::vector<bool> is_listed_;
};

}  // namespace area
