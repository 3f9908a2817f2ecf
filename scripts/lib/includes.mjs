/** Finds what a C or C++ file includes of its own project: `#include "x.h"`, in quotes. */

const INCLUDE = /^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"/gm

export function findIncludes(text) {
  return [...text.matchAll(INCLUDE)].map(([, path]) => path)
}

export const isNative = (file) => /\.(c|cc|h)$/.test(file)

/** `hub.h` and `hub.cc` are one thing: whoever includes the one needs the other. */
export function unitOf(file) {
  return file.replace(/\.(c|cc|h)$/, '')
}
