/** Why a node could not be asked, and what to do about it: by the code of what failed. */
interface Advice {
  readonly pattern: RegExp
  readonly remedy: string
}

/** In this order: the first that fits. Codes are those of Node.js and OpenSSL. */
const ADVICE: readonly Advice[] = [
  { pattern: /ALTNAME/, remedy: 'name the node in endpoints as its certificate does, or give it another certificate' },
  { pattern: /EXPIRED|NOT_YET_VALID/, remedy: 'renew the certificate, or put the clock right' },
  {
    pattern: /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_SIGNATURE/,
    remedy: '"ca" must name the file of the authority that has signed the certificates of the nodes',
  },
  {
    pattern: /ALERT|HANDSHAKE|BAD_CERTIFICATE/,
    remedy: 'the node wants a certificate of its clients, or another one: "cert" and "key"',
  },
  {
    // Who is asked in TLS and does not know it may say so, or nothing.
    pattern: /WRONG_VERSION|PACKET_LENGTH|before secure TLS|https:\S+ .*(?:no HTTP|hung up|ECONNRESET)/,
    remedy: 'the node speaks no TLS: http:// instead of https://',
  },
  { pattern: /no HTTP|hung up|ECONNRESET/, remedy: 'if the node speaks TLS: https:// instead of http://, and its log' },
  { pattern: /ENOTFOUND|EAI_/, remedy: 'the name of the node is not known here: DNS, or /etc/hosts' },
  { pattern: /ECONNREFUSED/, remedy: 'start etcd there, and let it listen on that address (--listen-client-urls)' },
]
const USUAL = 'is the node up, and does the network lead there (firewall, IPAddressAllow= of the unit)?'

export function remedyFor(error: unknown): string {
  const said = [...causes(error)].map(({ code, message }) => `${code ?? ''} ${message ?? ''}`).join(' ')
  return ADVICE.find(({ pattern }) => pattern.test(said))?.remedy ?? USUAL
}

function* causes(error: unknown): Generator<{ code?: string; message?: string }> {
  for (let at = error; at instanceof Error; at = at.cause) yield at as { code?: string; message?: string }
}
