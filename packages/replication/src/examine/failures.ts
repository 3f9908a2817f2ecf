/** Why a node could not be asked, and what to do about it: by the code of what failed. */
interface Advice {
  readonly pattern: RegExp
  readonly remedy: string
}

/** In this order: the first that fits. Codes are those of Node.js and OpenSSL. */
const ADVICE: readonly Advice[] = [
  { pattern: /ALTNAME/, remedy: 'use the name of the certificate in endpoints, or give the node another certificate' },
  { pattern: /EXPIRED|NOT_YET_VALID/, remedy: 'renew the certificate, or set the clock' },
  {
    pattern: /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_SIGNATURE/,
    remedy: 'let "ca" name the file of the authority that signed the certificates of the nodes',
  },
  {
    pattern: /ALERT|HANDSHAKE|BAD_CERTIFICATE/,
    remedy: 'the node requires a client certificate, or another one: set "cert" and "key"',
  },
  {
    // A node that does not speak TLS may answer so, or close the connection.
    pattern:
      /WRONG_VERSION|PACKET_LENGTH|before secure TLS|https:\S+ .*(?:not speak HTTP|closed the connection|ECONNRESET)/,
    remedy: 'the node does not speak TLS: use http:// instead of https://',
  },
  {
    pattern: /not speak HTTP|closed the connection|ECONNRESET/,
    remedy: 'if the node speaks TLS, use https:// instead of http://; otherwise read its log',
  },
  {
    pattern: /CommonName/,
    remedy:
      'let "cert" name a certificate without a common name (CN): while etcd has users, its gateway refuses others',
  },
  { pattern: /ENOTFOUND|EAI_/, remedy: 'this machine cannot find the name of the node: check DNS or /etc/hosts' },
  {
    pattern: /ECONNREFUSED/,
    remedy: 'start etcd on that machine, and let it listen on this address (--listen-client-urls)',
  },
]
const USUAL = 'check that the node runs and that the network reaches it (firewall, IPAddressAllow= of the unit)'

export function remedyFor(error: unknown): string {
  const said = [...causes(error)].map(({ code, message }) => `${code ?? ''} ${message ?? ''}`).join(' ')
  return ADVICE.find(({ pattern }) => pattern.test(said))?.remedy ?? USUAL
}

function* causes(error: unknown): Generator<{ code?: string; message?: string }> {
  for (let at = error; at instanceof Error; at = at.cause) yield at as { code?: string; message?: string }
}
