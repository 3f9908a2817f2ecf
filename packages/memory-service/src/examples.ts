/** The examples in the help and the man page. */

export interface Example {
  readonly line: string
  readonly does: string
}

/** By command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  start: [
    { line: 'memsvc start', does: 'run in the foreground; Ctrl-C ends it' },
    { line: 'memsvc start --writers alice @operators', does: 'let these users write too' },
    { line: 'memsvc start --state /var/lib/memsvc', does: 'keep the stores over restarts of the machine' },
  ],
  registry: [{ line: 'memsvc registry --socket-mode 666', does: 'let every user connect' }],
  status: [{ line: 'memsvc status --json | jq .value', does: 'print one field' }],
  inspect: [
    { line: 'memsvc inspect', does: 'draw who holds the memory' },
    { line: 'memsvc inspect SharedStore --svg > store.svg', does: 'draw the same for a store, in SVG' },
    { line: 'memsvc inspect --dot | dot -Tpdf > memory.pdf', does: 'let Graphviz draw it' },
  ],
  list: [{ line: 'memsvc list', does: 'list all names, and who serves them' }],
  stop: [{ line: 'memsvc stop', does: 'stop the daemon' }],
  top: [{ line: 'memsvc top --interval 5', does: 'update every 5 s' }],
  metrics: [{ line: 'memsvc metrics --output /var/lib/node/memsvc.prom', does: 'write for a textfile collector' }],
  log: [{ line: 'memsvc log --level debug --format text', does: 'change the log of a running daemon' }],
  reload: [{ line: 'memsvc reload', does: 'after you changed the configuration' }],
  limits: [{ line: 'memsvc limits --config memsvc.json', does: 'show the limits that this file sets' }],
  doctor: [{ line: 'memsvc doctor', does: 'find out what is wrong, and what to do' }],
  completion: [
    { line: 'source <(memsvc completion bash)', does: 'in bash, or in zsh after compinit' },
    { line: 'memsvc completion fish | source', does: 'in fish' },
  ],
  version: [{ line: 'memsvc version --verbose', does: 'print what to give in a bug report' }],
  'install-unit': [
    { line: 'memsvc install-unit --print', does: 'show what would be written' },
    { line: 'sudo memsvc install-unit --replicate', does: 'also write the unit of memsvc replicate' },
  ],
}
