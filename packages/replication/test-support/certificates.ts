/** Certificates for a test, by openssl: an authority, a node of 127.0.0.1, a client; and another authority that has signed none of these. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface KeyPair {
  /** Texts in PEM. */
  readonly cert: string
  readonly key: string
  /** Where they are. */
  readonly certFile: string
  readonly keyFile: string
}

export interface Certificates {
  readonly authority: KeyPair
  readonly node: KeyPair
  readonly client: KeyPair
  /** Of a client, without a common name. */
  readonly nameless: KeyPair
  readonly stranger: KeyPair
}

/** @param folder goes with the test */
export function makeCertificates(folder: string): Certificates {
  const authority = makeAuthority(folder, 'authority')
  const stranger = makeAuthority(folder, 'stranger')
  const node = sign(folder, { name: 'node', authority, extension: 'subjectAltName=IP:127.0.0.1' })
  const client = sign(folder, { name: 'client', authority, extension: 'extendedKeyUsage=clientAuth' })
  const nameless = sign(folder, { name: '', authority, extension: 'extendedKeyUsage=clientAuth' })
  return { authority, node, client, nameless, stranger }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function makeAuthority(folder: string, name: string): KeyPair {
  const files = filesOf(folder, name)
  openssl('req', '-x509', ...NEW_KEY, '-subj', `/CN=${name}`, '-days', '30', ...out(files))
  return read(files)
}

function sign(
  folder: string,
  { name, authority, extension }: { name: string; authority: KeyPair; extension: string },
): KeyPair {
  const [subject, file] = name === '' ? ['/O=nameless', 'nameless'] : [`/CN=${name}`, name]
  const files = filesOf(folder, file)
  const [request, extensions] = [join(folder, `${file}.csr`), join(folder, `${file}.ext`)]
  writeFileSync(extensions, `${extension}\n`)
  openssl('req', ...NEW_KEY, '-subj', subject, ...out({ ...files, certFile: request }))
  const by = ['-CA', authority.certFile, '-CAkey', authority.keyFile, '-CAcreateserial']
  openssl('x509', '-req', '-in', request, ...by, '-days', '30', '-extfile', extensions, '-out', files.certFile)
  return read(files)
}

function filesOf(folder: string, name: string) {
  return { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) }
}

function out({ certFile, keyFile }: { certFile: string; keyFile: string }): string[] {
  return ['-keyout', keyFile, '-out', certFile]
}

function read(files: { certFile: string; keyFile: string }): KeyPair {
  return { ...files, cert: readFileSync(files.certFile, 'utf8'), key: readFileSync(files.keyFile, 'utf8') }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
