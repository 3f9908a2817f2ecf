/** What people type, for the help and the man page. */

export interface Example {
  readonly line: string
  readonly does: string
}

/** By command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  start: [
    { line: 'memsvc start', does: 'in the foreground; Ctrl-C ends it' },
    { line: 'memsvc start --writers alice @operators', does: 'these may write too' },
    { line: 'memsvc start --state /var/lib/memsvc', does: 'the stores survive a restart of the machine' },
  ],
  registry: [{ line: 'memsvc registry --socket-mode 666', does: 'every user may connect' }],
  status: [{ line: 'memsvc status --json | jq .value', does: 'one of its facts' }],
  inspect: [
    { line: 'memsvc inspect', does: 'who holds the memory, as a picture' },
    { line: 'memsvc inspect SharedStore --svg > store.svg', does: 'the same of a store, for a page' },
    { line: 'memsvc inspect --dot | dot -Tpdf > memory.pdf', does: 'the same by Graphviz' },
  ],
  list: [{ line: 'memsvc list', does: 'all names, and who serves them' }],
  stop: [{ line: 'memsvc stop', does: 'returns when its name is gone' }],
  top: [{ line: 'memsvc top --interval 5', does: 'each 5 s' }],
  metrics: [{ line: 'memsvc metrics --output /var/lib/node/memsvc.prom', does: 'for a textfile collector' }],
  log: [{ line: 'memsvc log --level debug --format text', does: 'of a daemon that runs' }],
  reload: [{ line: 'memsvc reload', does: 'its configuration is read again' }],
  limits: [{ line: 'memsvc limits --config memsvc.json', does: 'what this file makes of them' }],
  doctor: [{ line: 'memsvc doctor', does: 'what is wrong here, and what to do' }],
  completion: [
    { line: 'source <(memsvc completion bash)', does: 'bash, and zsh after compinit' },
    { line: 'memsvc completion fish | source', does: 'fish' },
  ],
  version: [{ line: 'memsvc version --verbose', does: 'for a report' }],
  'install-unit': [
    { line: 'memsvc install-unit --print', does: 'what would be written' },
    { line: 'sudo memsvc install-unit --replicate', does: 'and the unit of memsvc replicate' },
  ],
}
