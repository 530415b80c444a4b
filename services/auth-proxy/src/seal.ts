import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

const HANDLE_BYTES = 16
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const TICKET = /^[A-Za-z0-9_-]{64}$/

/** What the cookie says: which session, and the key without which its record cannot be read. */
export type Ticket = {
  readonly text: string
  /** Names the record in the store; tells nothing about the handle. */
  readonly name: string
  readonly key: Buffer
}

/** A ticket that nobody has held before. */
export function newTicket(): Ticket {
  return ticketOf(randomBytes(HANDLE_BYTES + KEY_BYTES))
}

/** The ticket in a cookie value; undefined when it cannot be one of ours. */
export function parseTicket(text: string): Ticket | undefined {
  return TICKET.test(text) ? ticketOf(Buffer.from(text, 'base64url')) : undefined
}

function ticketOf(bytes: Buffer): Ticket {
  return {
    text: bytes.toString('base64url'),
    name: createHash('sha256').update(bytes.subarray(0, HANDLE_BYTES)).digest('hex'),
    key: bytes.subarray(HANDLE_BYTES),
  }
}

/** Encrypts a record with AES-256-GCM.
 *
 * The key is derived from the ticket's key and the server's secret, so that a copy of the
 * store is of no use without both. The record's name is
 * authenticated: a record moved to another name does not open.
 */
export function seal(record: string, ticket: Ticket, secret: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(ticket, secret), nonce)
  cipher.setAAD(Buffer.from(ticket.name))
  const body = Buffer.concat([cipher.update(record, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

/** Decrypts what `seal` wrote with one of the secrets; undefined when none opens it. */
export function unseal(
  sealed: Buffer,
  ticket: Ticket,
  secrets: readonly string[],
): string | undefined {
  for (const secret of secrets) {
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', sealingKey(ticket, secret), nonce, {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(ticket.name))
      decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const body = sealed.subarray(NONCE_BYTES + TAG_BYTES)
      return decipher.update(body, undefined, 'utf8') + decipher.final('utf8')
    } catch {
      // Sealed with another secret, or not by us.
    }
  }
  return undefined
}

function sealingKey(ticket: Ticket, secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', ticket.key, secret, 'runbench session record v1', 32))
}

/** The token that a page of the session has to send back in X-CSRF-Token. */
export function csrfToken(ticket: Ticket, secret: string): string {
  return createHmac('sha256', secret)
    .update('runbench csrf token v1\0')
    .update(ticket.name)
    .update(ticket.key)
    .digest('base64url')
}

/** Whether the token belongs to this session; compared in constant time. */
export function csrfTokenMatches(
  token: string | undefined,
  ticket: Ticket,
  secrets: readonly string[],
): boolean {
  const given = createHash('sha256')
    .update(token ?? '')
    .digest()
  return secrets.some((secret) =>
    timingSafeEqual(given, createHash('sha256').update(csrfToken(ticket, secret)).digest()),
  )
}
