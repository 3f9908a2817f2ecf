// One owner of one mapping. Move-only; unmaps on destruction.
//
// JavaScript may have views of parts of it, which nobody can take back: a debugger reaches them when the mapping is long
// gone. So where there are some, unmapping leaves pages of zeros in the place of what they show, until the last is collected.
#pragma once
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

/** What the views of a mapping show, and what lies there when it is unmapped. Belongs to the mapping and to each view. */
struct ViewedPages {
  ViewedPages() = default;
  ViewedPages(const ViewedPages&) = delete;
  ViewedPages& operator=(const ViewedPages&) = delete;
  ~ViewedPages() {
    if (zeros == nullptr) return;
    ::munmap(zeros, zeros_length);
    zero_bytes -= zeros_length;
  }

  uint8_t* first = nullptr;  // all views lie between these
  uint8_t* last = nullptr;
  uint8_t* zeros = nullptr;
  size_t zeros_length = 0;

  /** Of all threads: bytes of address space (no memory) that stand in for what was unmapped. */
  static inline std::atomic<size_t> zero_bytes{0};
};

class MappedMemory {
 public:
  MappedMemory() = default;
  MappedMemory(MappedMemory&& other) noexcept { *this = std::move(other); }
  MappedMemory& operator=(MappedMemory&& other) noexcept {
    Unmap();
    data_ = std::exchange(other.data_, nullptr);
    length_ = std::exchange(other.length_, 0);
    prot_ = std::exchange(other.prot_, 0);
    viewed_ = std::move(other.viewed_);
    return *this;
  }
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;
  ~MappedMemory() { Unmap(); }

  /**
   * mmap(2) at an address of the kernel's choice; empty with errno set on failure. MAP_FIXED is refused (EINVAL):
   * with no address to fix it to, it could only replace what lies at 0.
   */
  static MappedMemory Map(int fd, int64_t length, int prot, int flags, int64_t offset) {
    MappedMemory memory;
    if (length <= 0 || (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0) {
      errno = EINVAL;
      return memory;
    }
    void* data = ::mmap(nullptr, static_cast<size_t>(length), prot, flags, fd, offset);
    if (data == MAP_FAILED) return memory;
    memory.data_ = static_cast<uint8_t*>(data);
    memory.length_ = static_cast<size_t>(length);
    memory.prot_ = prot;
    return memory;
  }

  /** Empty from then on, or a negative errno and as it was (ENOMEM: no more mappings are allowed, and one had to be split). */
  int Unmap() {
    if (data_ == nullptr) return 0;
    const bool is_viewed = viewed_ != nullptr && viewed_.use_count() > 1;
    const int error = WithPageSize([&](size_t length) { return is_viewed ? LeaveZeros(length) : ::munmap(data_, length); });
    if (error < 0) return error;
    data_ = nullptr;
    length_ = 0;
    viewed_.reset();
    return 0;
  }

  /** Before a view of a part is made, which owns the answer for as long as it lives. */
  std::shared_ptr<ViewedPages> Show(uint8_t* place, size_t count) {
    if (viewed_ == nullptr || viewed_.use_count() == 1) viewed_ = std::make_shared<ViewedPages>();
    if (viewed_->first == nullptr || place < viewed_->first) viewed_->first = place;
    if (place + count > viewed_->last) viewed_->last = place + count;
    return viewed_;
  }

  bool ok() const { return data_ != nullptr; }
  uint8_t* data() const { return data_; }
  size_t length() const { return length_; }
  /** x86-64 and arm64 give read access with PROT_WRITE. */
  bool readable() const { return (prot_ & (PROT_READ | PROT_WRITE)) != 0; }
  bool writable() const { return (prot_ & PROT_WRITE) != 0; }

 private:
  static constexpr size_t kPage = 4096;              // the smallest that Linux has
  static constexpr size_t kLargestPage = 16ul << 30;  // of arm64, with 64 KiB pages

  static size_t RoundUp(size_t length, size_t page) { return (length + page - 1) & ~(page - 1); }

  /**
   * The kernel maps whole pages, and unmaps huge ones only whole: EINVAL. Which it took is not known here, but anything less
   * than the right size fails, so that to try them from the smallest up never takes more than is ours.
   */
  template <typename Release>
  int WithPageSize(Release release) {
    for (size_t page = kPage; page <= kLargestPage; page *= 2) {
      if (release(RoundUp(length_, page)) == 0) return 0;
      if (errno != EINVAL) break;
    }
    return -errno;
  }

  /** One step for all of it, so that no view is ever without memory; then what no view shows is given back. */
  int LeaveZeros(size_t length) {
    constexpr int kFlags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (::mmap(data_, length, PROT_READ | PROT_WRITE, kFlags, -1, 0) == MAP_FAILED) return -1;
    uint8_t* first = data_ + (viewed_->first - data_) / kPage * kPage;
    uint8_t* last = data_ + RoundUp(viewed_->last - data_, kPage);
    if (first > data_ && ::munmap(data_, first - data_) < 0) first = data_;
    if (last < data_ + length && ::munmap(last, data_ + length - last) < 0) last = data_ + length;
    viewed_->zeros = first;
    viewed_->zeros_length = last - first;
    ViewedPages::zero_bytes += viewed_->zeros_length;
    return 0;
  }

  uint8_t* data_ = nullptr;
  size_t length_ = 0;
  int prot_ = 0;
  std::shared_ptr<ViewedPages> viewed_;
};
