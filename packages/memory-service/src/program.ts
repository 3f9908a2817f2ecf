/** Declares the command line of memsvc. What the commands do is in `commands/`, and is loaded when a command runs. */
import {
  completionScript,
  completionSources,
  completions,
  describeCommand,
  EXIT,
  EXIT_MEANINGS,
  type ExitCode,
  isServiceName,
  SHELLS,
  type Shell,
  SYSTEM_REGISTRY_PATH,
} from '@memsvc/shared/internal'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { Output } from './commands/output.ts'
import { EXAMPLES } from './examples.ts'
import { LOG_FORMATS, LOG_LEVELS } from './log/log-settings.ts'
import { packageVersion } from './process/package-folder.ts'

/** As in memsvc.schema.json. */
const MAX_COUNT = 1_000_000

/**
 * @param done told the exit code of the command that ran
 * @param spentMs what a first attempt has taken of the time of `status`, in milliseconds
 */
export function makeProgram(done: (exitCode: ExitCode) => void, spentMs = 0): Command {
  const out = new Output()
  const program = new Command('memsvc')
    .configureOutput({ writeOut: (text) => out.line(text.trimEnd()) })
    .description('the daemon that owns values in shared memory and lets clients find them by name')
    .version(packageVersion())
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText('after', `\nExit codes: ${EXIT_MEANINGS.map((meaning, code) => `${code} ${meaning}`).join(', ')}`)

  daemonOptions(
    program
      .command('start')
      .description('run the daemon in the foreground; it hosts the registry too if none is running'),
  )
    .option('--name <name>', 'publish the service under this name (default: AnonymousSharedMemory)', parseName)
    .option('--no-store', 'do not serve the store SharedStore (only a daemon with the default name serves it)')
    .option(
      '--state <folder>',
      'keep the stores in this folder, so that they survive a restart of the machine (needs the package lmdb)',
    )
    .addOption(
      new Option(
        '--state-sync <when>',
        'when a change reaches the disk: always before it is answered, or up to a second behind (default: behind)',
      ).choices(['always', 'behind']),
    )
    .option(
      '--writers <who...>',
      'users who may write, besides you and root: a uid, a user name or @group',
      collect,
      [],
    )
    .action(async (options) => {
      const { start } = await import('./commands/start.ts')
      done(await start({ ...options, registryOnly: false }))
    })
  daemonOptions(program.command('registry').description('run only the registry, in the foreground')).action(
    async (options) => {
      const { start } = await import('./commands/start.ts')
      done(await start({ ...options, writers: [], registryOnly: true }))
    },
  )
  program
    .command('replicate')
    .description(
      'keep a copy of the values in an etcd cluster as a store on this machine (needs the package @memsvc/replication)',
    )
    .option('--endpoint <url...>', "addresses of etcd's nodes; they replace those of the configuration")
    .option('--prefix <prefix>', 'what all keys begin with in etcd (default: memsvc/)')
    .option('--store <name>', 'publish the store under this name (default: ClusterStore)', parseName)
    .option(
      '--value <key...>',
      'also publish these keys, which hold an int32, as values of the same names, for memclient read',
    )
    .option('--machine <name>', "this machine's name in the cluster (default: the host's)")
    .option('--read-only', 'allow no changes to the cluster')
    .addOption(
      new Option('--ready-within <seconds>', 'publish the store after this time, even if it is not up to date yet')
        .argParser(parseSeconds)
        .default(30),
    )
    .option(
      '--writers <who...>',
      'users who may write, besides you and root: a uid, a user name or @group',
      collect,
      [],
    )
    .option(
      '--config <file>',
      'the file with access rules and the addresses of etcd (default: memsvc.json in the usual places)',
    )
    .option('--log-level <level>', `write lines of this level and above: ${LOG_LEVELS.join(', ')}`, parseLevel, 'info')
    .addOption(new Option('--log-format <format>', 'how log lines are written').choices(LOG_FORMATS).default('json'))
    .option('--registry <path>', "the registry's socket (default: $MEMSVC_REGISTRY, else the user's or the machine's)")
    .option('--system', `use the machine's registry, ${SYSTEM_REGISTRY_PATH}`)
    .option('--user', "use the user's registry, $XDG_RUNTIME_DIR/memsvc/registry.sock")
    .option('--registry-owner <uid>', 'another user who may run the registry, besides root and you')
    .action(async (options) => done(await (await import('./commands/replicate.ts')).replicate(options)))
  askingOptions(program.command('status').argument('[name]').description('show what a daemon holds')).action(
    async (name, options) =>
      done(await (await import('./commands/control.ts')).status(name, { ...options, spentMs }, out)),
  )
  askingOptions(
    program
      .command('inspect')
      .argument('[name]')
      .description('show which processes hold the memory, by descriptors and mappings'),
  )
    .option('--dot', 'print a graph for Graphviz')
    .option('--svg', 'print a picture in SVG')
    .action(async (name, options) => done(await (await import('./commands/inspect.ts')).inspect(name, options, out)))
  askingOptions(program.command('list').description('list the services')).action(async (options) =>
    done(await (await import('./commands/control.ts')).list(options, out)),
  )
  askingOptions(
    program.command('stop').argument('[name]').description('stop a daemon, and wait until its name is free'),
  ).action(async (name, options) => done(await (await import('./commands/control.ts')).stop(name, options, out)))
  askingOptions(
    program
      .command('top')
      .argument('[name]')
      .description('show what a daemon does, and update it until you press Ctrl-C'),
  )
    .option('--interval <seconds>', 'time between two updates (default: 1)')
    .option('--count <n>', 'stop after this many updates')
    .action(async (name, options) => done(await (await import('./commands/top.ts')).top(name, options, out)))
  askingOptions(
    program
      .command('metrics')
      .argument('[name]')
      .description("print a daemon's metrics in the text format of Prometheus (0.0.4)"),
  )
    .option('--output <file>', 'write to this file, which is replaced as a whole, for a textfile collector')
    .action(async (name, options) => done(await (await import('./commands/control.ts')).metrics(name, options, out)))
  askingOptions(
    program.command('log').argument('[name]').description('show or change how a running daemon writes its log'),
  )
    .addOption(new Option('--level <level>', 'write lines of this level and above').choices(LOG_LEVELS))
    .addOption(new Option('--format <format>', 'how log lines are written').choices(LOG_FORMATS))
    .action(async (name, options) => done(await (await import('./commands/control.ts')).log(name, options, out)))
  askingOptions(
    program.command('reload').argument('[name]').description('make a daemon read its configuration again'),
  ).action(async (name, options) => done(await (await import('./commands/control.ts')).reload(name, options, out)))
  settingsOptions(clientOptions(program.command('limits').description('show every limit and its value'))).action(
    async (options) => done(await (await import('./commands/limits.ts')).showLimits(options, out)),
  )
  settingsOptions(
    clientOptions(
      program.command('doctor').description('check whether memsvc can run on this machine, and say what to do if not'),
    ),
  ).action(async (options) => done(await (await import('./commands/doctor.ts')).doctor(options, out)))
  program
    .command('completion')
    .description('print a script for your shell, which then completes the words of this command')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      out.line(completionScript(shell, 'memsvc'))
      done(EXIT.done)
    })
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const found = await completions(describeCommand(program), words, completionSources(words))
      for (const line of found) out.line(line)
      done(EXIT.done)
    })
  program.command('__describe', { hidden: true }).action(() => {
    out.json({ ...describeCommand(program), examples: EXAMPLES })
    done(EXIT.done)
  })
  program
    .command('version')
    .description('print the version')
    .option('--verbose', 'also print what it runs on: kernel, addon, Node.js')
    .option('--json', 'print one JSON object per line')
    .action(async (options) => done((await import('./commands/version.ts')).version(options, out)))
  program
    .command('install-unit')
    .description('write unit files, so that systemd runs this memsvc')
    .option('--system', "for the machine's systemd, in /etc/systemd/system (default for root)")
    .option('--user', "for this user's systemd, in ~/.config/systemd/user (default for others)")
    .option('--print', 'show the files instead of writing them')
    .option('--replicate', 'also write memsvc-replicate.service, which may reach only the etcd of the configuration')
    .option(
      '--config <file>',
      'for --replicate: the file with the addresses of etcd (default: /etc/memsvc/memsvc.json)',
    )
    .action(async (options) => done(await (await import('./commands/install-unit.ts')).installUnit(options, out)))
  for (const command of program.commands) command.addHelpText('after', examplesOf(command.name()))
  return program
}

/** Indented so that nobody takes them for commands of the list above. */
function examplesOf(command: string): string {
  const lines = (EXAMPLES[command] ?? []).map(({ line, does }) => `    ${line.padEnd(50)} ${does}`)
  return lines.length === 0 ? '' : `\nExamples:\n${lines.join('\n')}`
}

function daemonOptions(command: Command): Command {
  return settingsOptions(registryOption(command))
    .addOption(
      new Option('--socket-mode <mode>', "permissions of the registry's socket, octal")
        .argParser(parseMode)
        .default(0o600, '600'),
    )
    .option('--log-level <level>', `write lines of this level and above: ${LOG_LEVELS.join(', ')}`, parseLevel, 'info')
    .addOption(new Option('--log-format <format>', 'how log lines are written').choices(LOG_FORMATS).default('json'))
}

function settingsOptions(command: Command): Command {
  return command
    .option(
      '--config <file>',
      'the file with access rules and limits (default: memsvc.json in the usual places, if it exists)',
    )
    .option('--max-connections <count>', 'limit of connections to the registry', parseCount)
    .option('--max-channels <count>', 'limit of channels to the service', parseCount)
    .option('--max-watchers <count>', 'limit of watchers of the value', parseCount)
}

/** Of commands that ask a daemon and wait for its answer. */
function askingOptions(command: Command): Command {
  return clientOptions(command).option('--timeout <seconds>', 'how long to wait for all answers together (default: 5)')
}

function clientOptions(command: Command): Command {
  return registryOption(command).option('--json', 'print one JSON object per line')
}

function registryOption(command: Command): Command {
  return command
    .option('--registry <path>', "the registry's socket (default: $MEMSVC_REGISTRY, else the user's or the machine's)")
    .option('--system', `use the machine's registry, ${SYSTEM_REGISTRY_PATH}`)
    .option('--user', "use the user's registry, $XDG_RUNTIME_DIR/memsvc/registry.sock")
    .option('--registry-owner <uid>', 'another user who may run the registry, besides root and you')
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

function parseName(text: string): string {
  if (!isServiceName(text)) throw new InvalidArgumentError('It must be 1 to 127 characters of a-z A-Z 0-9 _ - . /')
  return text
}

function parseMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new InvalidArgumentError('It must be three octal digits, for example 660.')
  return Number.parseInt(text, 8)
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text) || Number(text) > MAX_COUNT) {
    throw new InvalidArgumentError(`It must be an integer from 1 to ${MAX_COUNT}.`)
  }
  return Number(text)
}

function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (seconds > 0 && seconds <= MAX_COUNT) return seconds
  throw new InvalidArgumentError('It must be a number of seconds above 0.')
}

function parseLevel(text: string): string {
  if (!(LOG_LEVELS as readonly string[]).includes(text))
    throw new InvalidArgumentError(`It must be one of ${LOG_LEVELS.join(', ')}.`)
  return text
}
