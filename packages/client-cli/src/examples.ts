/** What people type, for the help and the man page. */

export interface Example {
  readonly line: string
  readonly does: string
}

/** By command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  read: [{ line: 'memclient read --wait 10', does: 'also where the daemon is yet to come' }],
  write: [{ line: 'memclient write -1', does: 'a negative value needs no --' }],
  watch: [{ line: 'memclient watch --until 0', does: 'ends when it is 0' }],
  get: [{ line: 'memclient get model > copy.bin', does: 'bytes come as they are' }],
  put: [
    { line: 'memclient put dark-mode true', does: 'JSON; anything else is a string' },
    { line: 'memclient put model --bytes --file model.bin', does: 'a file as it is' },
    { line: 'memclient put lock me --if-version 0 --ttl 30', does: 'only if there is none, for 30 s' },
  ],
  delete: [{ line: 'memclient delete dark-mode', does: '' }],
  increment: [{ line: 'memclient increment visits', does: 'prints the sum' }],
  keys: [{ line: 'memclient keys flags/', does: 'those that begin so' }],
  changes: [{ line: 'memclient changes flags/ --json', does: 'an object a line, until interrupted' }],
  import: [{ line: 'memclient export | memclient import - --store b', does: 'from one store to another' }],
  export: [{ line: 'memclient export --output all.json', does: 'there whole, or as it was' }],
  list: [{ line: 'memclient list --json', does: 'and who serves them' }],
  ui: [{ line: 'memclient ui --open', does: 'a window in the browser' }],
  completion: [
    { line: 'source <(memclient completion bash)', does: 'bash, and zsh after compinit' },
    { line: 'memclient completion fish | source', does: 'fish' },
  ],
  info: [{ line: 'memclient info', does: 'to compare with memsvc status' }],
}
