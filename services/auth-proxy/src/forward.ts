import { once } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type BodyRules, BUFFERED_BYTES, openBody } from './body.ts'
import { bringsFile, FILE_PATIENCE_MS } from './files.ts'
import { answerHeaders, requestHeaders } from './headers.ts'
import { originOf } from './plugins/caller.ts'
import { sessionRenewed, upstreamUnreachable } from './problems.ts'
import type { Session, Sessions } from './sessions.ts'
import { ENDED, type Streams } from './streams.ts'
import { type Answer, type Compartment, readAnswer, type Upstream } from './upstream.ts'

export type ForwardParts = { sessions: Sessions; streams: Streams; bodies: BodyRules }

/** The methods that go on to a server behind; every other is refused. */
export const FORWARDED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

const SERIES = /\/(?:metrics|telemetry)(?:\/|$)/
const FILES = /\/(?:artifacts|artifact-archive|uploads|mlflow-artifacts)(?:\/|$)/

/** Sends a request on to a server behind, with the session's token or the program's own, and its answer back.
 *
 * Nothing large is held in memory: bodies over 64 KiB and answers over 64 KiB or of unknown length flow
 * through as they come. A small answer is read first, so that one that breaks off becomes a 502.
 */
export async function forward(
  request: FastifyRequest,
  reply: FastifyReply,
  upstream: Upstream,
  parts: ForwardParts,
): Promise<FastifyReply> {
  const { session } = request
  const isStream = request.raw.headers.accept?.includes('text/event-stream') ?? false
  const compartment = isStream ? 'streams' : compartmentOf(request.url)
  const leave = upstream.enter(compartment)
  const gone = new AbortController()
  const onClose = () => gone.abort()
  reply.raw.on('close', onClose)
  const forget = isStream ? parts.streams.add(gone, session) : undefined
  try {
    const answer = await ask(request, upstream, compartment, gone.signal, parts)
    return await passOn(answer, request, reply, upstream.origin, gone.signal, parts.bodies)
  } catch (error) {
    if (!gone.signal.aborted) throw error
    // Nobody is there to be answered, unless this process ended the stream before it began.
    if (gone.signal.reason === ENDED) throw upstreamUnreachable(error)
    return reply.hijack()
  } finally {
    reply.raw.off('close', onClose)
    forget?.()
    leave()
  }
}

function compartmentOf(url: string): Compartment {
  const path = url.split('?', 1)[0] as string
  return FILES.test(path) ? 'files' : SERIES.test(path) ? 'series' : 'records'
}

async function ask(
  request: FastifyRequest,
  upstream: Upstream,
  compartment: Compartment,
  signal: AbortSignal,
  { sessions, bodies }: ForwardParts,
): Promise<Answer> {
  const { method, url, raw } = request
  const from = originOf(request)
  const file = bringsFile(request)
  const rules = file ? { ...bodies, limit: Infinity, withinMs: Infinity } : bodies
  const body = method === 'GET' || method === 'HEAD' ? undefined : await openBody(raw, rules)
  const length = raw.headers['content-length']
  const send = (session: Session | undefined) => {
    const authorization = session ? `Bearer ${session.record.access_token}` : request.program
    const headers = requestHeaders(raw.headers, { ...from, authorization })
    if (body !== undefined && length !== undefined) headers['content-length'] = length
    const patienceMs = file ? FILE_PATIENCE_MS : undefined
    return upstream.send({ method, path: url, headers, body, signal, patienceMs }, compartment)
  }
  const answer = await send(request.session)
  if (answer.status !== 401 || !request.session) return answer
  const discard = () => answer.body.on('error', () => {}).resume()
  const renewed = await sessions.afterRefusal(request.session, from).catch((error: unknown) => {
    discard()
    throw error
  })
  if (!renewed) return answer
  discard()
  if (body !== undefined && !Buffer.isBuffer(body)) throw sessionRenewed()
  return send(renewed)
}

async function passOn(
  answer: Answer,
  request: FastifyRequest,
  reply: FastifyReply,
  upstreamOrigin: string,
  signal: AbortSignal,
  { stallMs }: BodyRules,
): Promise<FastifyReply> {
  const path = request.url.split('?', 1)[0] as string
  const headers = answerHeaders(answer.headers, upstreamOrigin, path)
  reply.code(answer.status)
  const length = answer.headers['content-length']
  const isEmpty = request.method === 'HEAD' || answer.status === 204 || answer.status === 304
  if (isEmpty || (length !== undefined && Number(length) <= BUFFERED_BYTES)) {
    const body = await readAnswer(answer.body, BUFFERED_BYTES)
    return reply.headers(headers).send(isEmpty ? undefined : body)
  }
  if (!request.raw.complete) headers.connection = 'close'
  reply.hijack()
  const { raw } = reply
  raw.writeHead(answer.status, { ...(reply.getHeaders() as Record<string, string>), ...headers })
  raw.flushHeaders()
  try {
    for await (const chunk of answer.body) {
      if (!raw.write(chunk)) await drained(raw, signal, stallMs)
    }
    raw.end()
  } catch (error) {
    // A stream that this process ends itself is whole so far; anything else must not look complete.
    if (signal.reason === ENDED) raw.end()
    else raw.socket?.destroy()
    if (!signal.aborted) request.log.warn({ err: error }, 'an answer broke off')
  }
  return reply
}

/** Waits for a slow reader, at most `stallMs`. */
async function drained(
  raw: FastifyReply['raw'],
  signal: AbortSignal,
  stallMs: number,
): Promise<void> {
  await once(raw, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(stallMs)]) })
}
