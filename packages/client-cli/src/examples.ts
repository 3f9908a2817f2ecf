/** The examples in the help and the man page. */

export interface Example {
  readonly line: string
  readonly does: string
}

/** By command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  read: [{ line: 'memclient read --wait 10', does: 'wait up to 10 s for a daemon' }],
  write: [{ line: 'memclient write -1', does: 'set a negative value (no -- needed)' }],
  watch: [{ line: 'memclient watch --until 0', does: 'stop when the value is 0' }],
  get: [{ line: 'memclient get model > copy.bin', does: 'save bytes as they are' }],
  put: [
    { line: 'memclient put dark-mode true', does: 'store JSON; other text is stored as a string' },
    { line: 'memclient put model --bytes --file model.bin', does: 'store the bytes of a file' },
    { line: 'memclient put lock me --if-version 0 --ttl 30', does: 'store only if the key is absent, for 30 s' },
  ],
  delete: [{ line: 'memclient delete dark-mode', does: 'delete the key' }],
  increment: [{ line: 'memclient increment visits', does: 'add 1, and print the new value' }],
  keys: [{ line: 'memclient keys flags/', does: 'list the keys that begin with flags/' }],
  changes: [{ line: 'memclient changes flags/ --json', does: 'print each change as an object' }],
  import: [{ line: 'memclient export | memclient import - --store b', does: 'copy one store to another' }],
  export: [{ line: 'memclient export --output all.json', does: 'write a backup' }],
  list: [{ line: 'memclient list --json', does: 'list the names, and who serves them' }],
  ui: [{ line: 'memclient ui --open', does: 'open the window in your browser' }],
  completion: [
    { line: 'source <(memclient completion bash)', does: 'in bash, or in zsh after compinit' },
    { line: 'memclient completion fish | source', does: 'in fish' },
  ],
  info: [{ line: 'memclient info', does: 'compare it with memsvc status' }],
}
