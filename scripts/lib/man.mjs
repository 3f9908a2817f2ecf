/** Makes man pages from the commands' descriptions of themselves, and from pages in Markdown. man(7) */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson } from './workspace.mjs'

const COMMANDS = [
  { folder: 'packages/memory-service', program: 'memsvc', sees: ['memclient(1)', 'memsvc-protocol(7)'] },
  { folder: 'packages/client-cli', program: 'memclient', sees: ['memclient-ui(1)', 'memsvc(1)', 'memsvc-protocol(7)'] },
]

const EXITS = [
  '0 done',
  '1 failed',
  '2 usage or bad value',
  '3 no registry, no such service or key',
  '4 not permitted',
  '5 try again',
  '6 conflict',
]

/** Writes the pages that each package's `man` names. The commands must have been built. */
export function writeManPages(root) {
  const { version } = readJson(root, 'lerna.json')
  for (const { folder, program, sees } of COMMANDS) {
    const bin = join(root, folder, 'bin', `${program}.js`)
    const described = JSON.parse(execFileSync(process.execPath, [bin, '__describe'], { encoding: 'utf8' }))
    writePage(root, `${folder}/dist/man/${program}.1`, commandPage(described, version, sees))
    if (program === 'memclient') {
      const readme = readFileSync(join(root, 'packages/ui/README.md'), 'utf8')
      writePage(root, 'packages/ui/dist/man/memclient-ui.1', windowPage(described, readme, version))
    }
  }
  const protocol = readFileSync(join(root, 'docs/protocol.md'), 'utf8')
  const title = {
    name: 'MEMSVC-PROTOCOL 7 "" "memsvc VERSION" "Conventions"',
    is: 'memsvc\\-protocol \\- the protocol between memsvc and its clients',
  }
  const page = [...titleLines(title, version), ...markdownLines(protocol)]
  writePage(root, 'packages/shared/dist/man/memsvc-protocol.7', `${page.join('\n')}\n`)
}

function writePage(root, path, text) {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}

// --- commands ---

function commandPage({ name, summary, options, commands, examples }, version, sees) {
  return [
    `.TH ${name.toUpperCase()} 1 "" "memsvc ${version}" "User Commands"`,
    '.SH NAME',
    `${name} \\- ${roff(summary)}`,
    '.SH SYNOPSIS',
    `.B ${name}`,
    '.I command',
    '[\\fIoptions\\fR] [\\fIoperands\\fR]',
    '.SH COMMANDS',
    ...commands.flatMap((command) => commandLines(name, command, examples[command.name] ?? [])),
    ...(options.length === 0
      ? []
      : ['.SH OPTIONS', 'These options apply to all commands.', ...options.flatMap(optionLines)]),
    '.SH EXIT STATUS',
    ...EXITS.flatMap((line) => ['.TP', `.B ${line.slice(0, 1)}`, line.slice(2)]),
    '.SH ENVIRONMENT',
    '.TP',
    '.B MEMSVC_REGISTRY',
    "The registry's socket, if no option names another.",
    '.TP',
    '.B XDG_RUNTIME_DIR',
    "If this is set, the default registry is the user's, $XDG_RUNTIME_DIR/memsvc/registry.sock; otherwise it is the machine's.",
    '.TP',
    '.B NO_COLOR',
    'If this is set, nothing is coloured. Otherwise output for people is coloured on a terminal.',
    '.SH FILES',
    '.TP',
    '.I /run/memsvc/registry.sock',
    "The machine's registry.",
    '.TP',
    '.I /etc/memsvc/memsvc.json',
    "The machine's configuration. A user's is $XDG_CONFIG_HOME/memsvc/memsvc.json.",
    '.SH SEE ALSO',
    sees.map((page) => `.BR ${page.replace('(', ' (')}`).join(' ,\n'),
    '',
  ].join('\n')
}

/** The page of one command: its options, and the text of its package's README. */
function windowPage({ name, commands, options, examples }, readme, version) {
  const command = commands.find((each) => each.name === 'ui')
  const title = {
    name: 'MEMCLIENT-UI 1 "" "memsvc VERSION" "User Commands"',
    is: 'memclient\\-ui \\- a window in your browser that shows what memsvc serves',
  }
  const [, about = ''] = readme.split(/^# .*$/m)
  return [
    ...titleLines(title, version),
    '.SH SYNOPSIS',
    '.B memclient ui',
    '[\\fIname\\fR] [\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    ...markdownLines(about.split(/^## In a program$/m)[0]),
    '.SH OPTIONS',
    ...[...command.options, ...options].flatMap(optionLines),
    '.SH EXAMPLES',
    ...(examples.ui ?? []).flatMap(exampleLines),
    '.SH SEE ALSO',
    `.BR ${name} (1),`,
    '.BR memsvc (1)',
    '',
  ].join('\n')
}

function exampleLines({ line, does }) {
  return ['.TP', `.B ${roff(line)}`, `${capital(roff(does))}.`]
}

function commandLines(program, { name, operands, summary, options }, examples) {
  const words = operands.map((operand) => (operand.isNeeded ? `\\fI${operand.name}\\fR` : `[\\fI${operand.name}\\fR]`))
  return [
    `.SS "${program} ${name}"`,
    `.B ${program} ${name}`,
    `${words.join(' ')}`,
    '.PP',
    `${capital(roff(summary))}.`,
    ...options.flatMap(optionLines),
    ...(examples.length === 0 ? [] : ['.PP', 'Examples:', ...examples.flatMap(exampleLines)]),
  ].filter((line) => line !== '')
}

function optionLines({ flags, meaning, choices }) {
  const known = choices.length === 0 ? '' : ` One of ${choices.join(', ')}.`
  return ['.TP', `.B ${roff(flags)}`, `${capital(roff(meaning))}.${known}`]
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

// --- Markdown ---

function titleLines({ name, is }, version) {
  return [`.TH ${name.replace('VERSION', version)}`, '.SH NAME', is]
}

/** Headings, paragraphs, lists, code, and tables as they are: a table of bytes is read by columns. */
function markdownLines(text) {
  const lines = []
  let isVerbatim = false
  let isTable = false
  for (const line of text.split('\n')) {
    const isFence = line.startsWith('```')
    const inTable = !isVerbatim && line.startsWith('|')
    if (inTable !== isTable) lines.push(inTable ? '.PP\n.nf' : '.fi')
    isTable = inTable
    if (isFence) {
      isVerbatim = !isVerbatim
      lines.push(isVerbatim ? '.PP\n.nf' : '.fi')
    } else if (line.startsWith('![')) {
      // man cannot show pictures
    } else if (isVerbatim || inTable) lines.push(roff(inTable ? plain(line) : line))
    else lines.push(...proseLines(line))
  }
  return lines
}

function proseLines(line) {
  const [, marks, title] = /^(#+) +(.*)$/.exec(line) ?? []
  if (marks === '#') return []
  if (marks !== undefined) return [`.${marks.length === 2 ? 'SH' : 'SS'} "${roff(plain(title)).replaceAll('"', "'")}"`]
  const [, item] = /^ *(?:[-*]|\d+\.) +(.*)$/.exec(line) ?? []
  if (item !== undefined) return ['.IP \\(bu 2', roff(plain(item))]
  return line.trim() === '' ? ['.PP'] : [roff(plain(line.trim()))]
}

/** Without links and marks. */
function plain(text) {
  return text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replace(/[`]|\*\*/g, '')
}

/** Escapes what troff would take as a request. */
function roff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
