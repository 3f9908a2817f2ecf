/** Test files, or folders of them, that cannot run under the sanitizers, and why. Each reason has been tried. */
export const LEFT_OUT = {
  'packages/memfd-native/test/readme.ts': 'compiles the README: no code of the addon runs',
}

/** @param file of the tests that were compiled */
export function isLeftOut(file) {
  const source = file.replace('/dist/', '/').replace(/\.js$/, '.ts')
  return Object.keys(LEFT_OUT).some((path) => source === path || source.startsWith(`${path}/`))
}
