// Jest's own require cannot load ES modules; its import() can, with --experimental-vm-modules.
test('as ever, and with fake timers', async () => {
  const memsvc = await import('@memsvc/shared')
  const { use } = await import('./use.mjs')
  expect(await use(memsvc, process.env.REGISTRY)).toBe('used')
  jest.useFakeTimers()
  expect(await use(memsvc, process.env.REGISTRY)).toBe('used')
  jest.useRealTimers()
})
