// One owner of one mapping. Move-only; unmaps on destruction.
#pragma once
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

class MappedMemory {
 public:
  MappedMemory() = default;
  MappedMemory(MappedMemory&& other) noexcept { *this = std::move(other); }
  MappedMemory& operator=(MappedMemory&& other) noexcept {
    Unmap();
    data_ = std::exchange(other.data_, nullptr);
    length_ = std::exchange(other.length_, 0);
    prot_ = std::exchange(other.prot_, 0);
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

  bool ok() const { return data_ != nullptr; }
  uint8_t* data() const { return data_; }
  size_t length() const { return length_; }
  /** x86-64 and arm64 give read access with PROT_WRITE. */
  bool readable() const { return (prot_ & (PROT_READ | PROT_WRITE)) != 0; }
  bool writable() const { return (prot_ & PROT_WRITE) != 0; }

 private:
  void Unmap() {
    if (data_ != nullptr) ::munmap(data_, length_);
  }

  uint8_t* data_ = nullptr;
  size_t length_ = 0;
  int prot_ = 0;
};
