/** Test files, or folders of them, that cannot run under the sanitizers, and why. Each reason has been tried. */
export const LEFT_OUT = {
  'packages/memfd-native/test/area-bounds.ts':
    'runs programs of the model, no code of the addon: its control is to be killed by a signal, and is ended by the sanitizer',
  'packages/memfd-native/test/area-model.ts':
    'compiles and runs the model, for many minutes: no code of the addon runs',
  'packages/memfd-native/test/readme.ts': 'compiles the README: no code of the addon runs',
}

/** @param file of the tests that were compiled */
export function isLeftOut(file) {
  const source = file.replace('/dist/', '/').replace(/\.js$/, '.ts')
  return Object.keys(LEFT_OUT).some((path) => source === path || source.startsWith(`${path}/`))
}
