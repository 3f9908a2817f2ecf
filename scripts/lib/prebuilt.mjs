/** Reads from the file of an addon (ELF, elf(5)) what it needs from the machine that loads it. */
import { readFileSync } from 'node:fs'

/** The C library of the oldest systems that Node.js 20 runs on. */
const OLDEST_GLIBC = [2, 28]
/** Parts of glibc, and musl's one. */
const LIBRARIES = /^(lib(c|m|dl|rt|pthread)\.so(\.\d+)?|ld-linux-[\w-]+\.so\.\d+)$/

/** @throws Error it needs a newer glibc, or another library */
export function checkAddon(path) {
  const { libraries, versions } = readNeeds(readFileSync(path))
  const foreign = libraries.filter((name) => !LIBRARIES.test(name))
  if (foreign.length > 0) throw new Error(`${path} needs ${foreign.join(', ')}`)
  const tooNew = versions.filter((name) => isNewer(name))
  if (tooNew.length > 0) throw new Error(`${path} needs ${tooNew.join(', ')}; glibc ${OLDEST_GLIBC.join('.')} must do`)
}

function isNewer(version) {
  const [major, minor] = version.replace('GLIBC_', '').split('.').map(Number)
  return major > OLDEST_GLIBC[0] || (major === OLDEST_GLIBC[0] && minor > OLDEST_GLIBC[1])
}

const SHT_DYNAMIC = 6
const SHT_GNU_VERNEED = 0x6ffffffe
const DT_NEEDED = 1

/** The libraries that a 64-bit little-endian ELF file names, and the versions of glibc's symbols that it uses. */
function readNeeds(elf) {
  const sections = readSections(elf)
  const ofType = (type) => sections.filter((section) => section.type === type)
  return {
    libraries: ofType(SHT_DYNAMIC).flatMap((section) => readLibraries(elf, section, sections[section.link])),
    versions: ofType(SHT_GNU_VERNEED).flatMap((section) => readVersions(elf, section, sections[section.link])),
  }
}

function readSections(elf) {
  const start = Number(elf.readBigUInt64LE(0x28))
  const size = elf.readUInt16LE(0x3a)
  return Array.from({ length: elf.readUInt16LE(0x3c) }, (_, i) => {
    const at = start + i * size
    const [offset, length] = [elf.readBigUInt64LE(at + 0x18), elf.readBigUInt64LE(at + 0x20)].map(Number)
    return { type: elf.readUInt32LE(at + 4), offset, length, link: elf.readUInt32LE(at + 0x28) }
  })
}

function readText(elf, strings, at) {
  const start = strings.offset + at
  return elf.toString('latin1', start, elf.indexOf(0, start))
}

function readLibraries(elf, { offset, length }, strings) {
  const names = []
  for (let at = offset; at < offset + length; at += 16) {
    if (Number(elf.readBigInt64LE(at)) === DT_NEEDED)
      names.push(readText(elf, strings, Number(elf.readBigUInt64LE(at + 8))))
  }
  return names
}

function readVersions(elf, { offset }, strings) {
  const names = []
  for (let at = offset, next = 1; next !== 0; at += next) {
    for (let aux = at + elf.readUInt32LE(at + 8), more = 1; more !== 0; aux += more) {
      const name = readText(elf, strings, elf.readUInt32LE(aux + 8))
      if (/^GLIBC_\d/.test(name)) names.push(name)
      more = elf.readUInt32LE(aux + 12)
    }
    next = elf.readUInt32LE(at + 12)
  }
  return names
}
