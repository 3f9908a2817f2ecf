import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const TITLE =
  'the owner of an area killed at every store, fence, allocation and copy of its transactions, and at random'
/** `every`: one place of so many. `script`: only this one (its number). */
export const DEFAULTS = { every: 1, script: 0, kills: 10_000 }

export async function run(_scope, { every, script, kills }) {
  const folder = mkdtempSync(join(tmpdir(), 'area-kills-'))
  try {
    const program = compile(join(folder, 'area-kills'))
    const places = ['--every', every, '--script', script]
    return [
      row('places to be killed at', kill(program, places)),
      control(kill(program, [...places, '--early'])),
      row('kills at random of an owner that is never idle', kill(program, ['--random', kills])),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function compile(program) {
  const source = 'packages/memfd-native/model/kills.cc'
  const args = ['-std=c++20', '-O2', '-fno-exceptions', source, '-o', program]
  if (spawnSync(process.env.CXX ?? 'g++', args, { stdio: 'inherit' }).status !== 0)
    throw new Error('it does not compile')
  return program
}

function kill(program, args) {
  const { stdout } = spawnSync(program, args.map(String), { encoding: 'utf8' })
  return JSON.parse(stdout)
}

function row(what, { killed, inside, wrong, first }) {
  const note = [inside > 0 ? `${inside.toLocaleString('en-US')} in the middle of an action` : '', first]
  return {
    what: `${what}, after which everybody reads a state that was committed`,
    attempted: killed,
    survived: killed - wrong,
    note: note.filter(Boolean).join('; '),
  }
}

function control({ killed, wrong }) {
  const note = `an owner that commits before it publishes: ${wrong} of ${killed} places`
  return { what: 'the control sees what is wrong', attempted: 1, survived: Math.min(wrong, 1), note }
}
