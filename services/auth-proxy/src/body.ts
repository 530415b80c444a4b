import type { IncomingMessage } from 'node:http'
import { Transform } from 'node:stream'
import { bodyStalled, bodyTooLarge } from './problems.ts'

/** Below this, a body is read before it is sent on, so that it can be sent a second time. */
export const BUFFERED_BYTES = 64 * 1024
/** A body that takes longer than the stall time for this many bytes is given up. */
const FEWEST_BYTES = 1024

export type Body = Buffer | Transform | undefined

export type BodyRules = {
  limit: number
  stallMs: number
  /** How long the whole body may take. */
  withinMs: number
}

/** Whether the request says that a body follows. */
export function hasBody(message: IncomingMessage): boolean {
  const length = message.headers['content-length']
  return message.headers['transfer-encoding'] !== undefined || (length ?? '0') !== '0'
}

/** The body of a request: a Buffer when it is small, else a stream that counts what passes.
 *
 * Throws 413 before a byte is read when the declared length is over the limit; the stream fails with
 * 413 when an undeclared one turns out to be, and with 408 when the client stalls.
 */
export async function openBody(message: IncomingMessage, rules: BodyRules): Promise<Body> {
  if (!hasBody(message)) return undefined
  const declared = message.headers['content-length']
  if (declared !== undefined && Number(declared) > rules.limit) throw bodyTooLarge(rules.limit)
  const metered = meter(message, rules)
  if (declared === undefined || Number(declared) > BUFFERED_BYTES) return metered
  return collect(metered)
}

/** The whole body of a request in memory; only for routes with a small limit. */
export async function readBody(message: IncomingMessage, rules: BodyRules): Promise<Buffer> {
  const body = await openBody(message, rules)
  return body instanceof Transform ? collect(body) : (body ?? Buffer.alloc(0))
}

async function collect(stream: Transform): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function meter(message: IncomingMessage, { limit, stallMs, withinMs }: BodyRules): Transform {
  let seen = 0
  const begun = Date.now()
  let mark = { seen: 0, at: begun }
  const metered = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length
      if (seen > limit) done(bodyTooLarge(limit))
      else done(null, chunk)
    },
  })
  const watch = setInterval(() => {
    if (Date.now() - begun >= withinMs) metered.destroy(bodyStalled())
    const waitsForUpstream = metered.readableLength > 0
    if (waitsForUpstream || seen - mark.seen >= FEWEST_BYTES) mark = { seen, at: Date.now() }
    else if (Date.now() - mark.at >= stallMs) metered.destroy(bodyStalled())
  }, stallMs / 4)
  const broken = () => metered.destroy(new Error('the client broke off'))
  message.on('error', broken)
  message.on('aborted', broken)
  metered.on('close', () => {
    clearInterval(watch)
    // The error listener stays: a connection that breaks later must find one.
    message.off('aborted', broken)
    message.unpipe(metered)
  })
  // Whoever reads it hears of a failure; when nobody does any more, it must not end the process.
  metered.on('error', () => {})
  // Not `pipeline`: it would destroy the request, and with it the socket that still has to carry the problem.
  message.pipe(metered)
  return metered
}
