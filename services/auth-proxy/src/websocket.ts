import {
  type ClientRequest,
  type IncomingMessage,
  request as requestHttp,
  type Server,
} from 'node:http'
import { request as requestHttps } from 'node:https'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import type { SessionCookie } from './cookies.ts'
import { requestHeaders } from './headers.ts'
import { requireOwnOrigin } from './origin-rule.ts'
import { requireSound } from './plugins/door.ts'
import {
  internalError,
  notFound,
  notSignedIn,
  Problem,
  sessionCookieAmbiguous,
  twoIdentities,
  upstreamTimeout,
  upstreamUnreachable,
} from './problems.ts'
import { parseTicket } from './seal.ts'
import type { Session, Sessions } from './sessions.ts'
import type { Settings } from './settings.ts'
import type { Streams } from './streams.ts'
import { canonicalTarget } from './target.ts'
import { type Trace, traceOf } from './trace.ts'
import type { Upstream } from './upstream.ts'

export type SocketParts = {
  settings: Settings
  cookie: SessionCookie
  sessions: Sessions
  streams: Streams
  gateway: Upstream
  logger: Logger
  addressOf: (message: IncomingMessage) => string
}

const HANDSHAKE = [
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
]
const HANDSHAKE_ANSWER = [
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
]
const HANDSHAKE_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 30_000

/** Whether a request asks for a WebSocket; any other upgrade is answered as the plain request that it also is. */
export function isWebSocket(message: IncomingMessage): boolean {
  return message.method === 'GET' && message.headers.upgrade?.toLowerCase() === 'websocket'
}

/** Lets WebSockets below /api through to the gateway, under the same rules as every other request.
 *
 * A page cannot add headers to a handshake, so the origin rule stands in for the CSRF token. After the
 * handshake the frames pass untouched in both directions.
 */
export function acceptSockets(server: Server, parts: SocketParts): void {
  server.on('upgrade', (message, socket, head) => {
    socket.on('error', () => socket.destroy())
    const trace = traceOf(message)
    open(message, socket, head, trace, parts).catch((error: unknown) => {
      const problem = error instanceof Problem ? error : internalError(error)
      const log = { problem: problem.code, trace_id: trace.traceId, request_id: trace.requestId }
      if (problem.status >= 500) parts.logger.warn({ ...log, err: problem.cause }, 'socket refused')
      refuse(socket, problem, trace)
    })
  })
}

async function open(
  message: IncomingMessage,
  client: Duplex,
  head: Buffer,
  trace: Trace,
  parts: SocketParts,
): Promise<void> {
  const { settings, sessions, streams, gateway, logger } = parts
  requireSound(message, message.url ?? '', settings)
  const target = canonicalTarget(message.url ?? '') as string
  if (!target.startsWith('/api/')) throw notFound()
  const from = {
    address: parts.addressOf(message),
    userAgent: message.headers['user-agent'],
    trace,
  }
  const { session, authorization } = await identify(message, parts, (ticket) =>
    sessions.open(ticket, from),
  )
  const leave = gateway.enter('streams')
  const ended = new AbortController()
  const forget = streams.add(ended, session)
  try {
    const headers = requestHeaders(message.headers, { ...from, authorization })
    for (const name of HANDSHAKE) {
      const value = message.headers[name]
      if (typeof value === 'string') headers[name] = value
    }
    headers.connection = 'Upgrade'
    headers.upgrade = 'websocket'
    const request = gateway.origin.startsWith('https:') ? requestHttps : requestHttp
    const asked = request(gateway.origin + target, { headers, agent: false })
    const upgraded = await handshake(asked, client)
    const { socket: server } = upgraded
    outlast(client)
    outlast(server)
    client.write(handshakeAnswer(upgraded.answer, trace))
    if (upgraded.head.length > 0) client.write(upgraded.head)
    if (head.length > 0) server.write(head)
    await joined(client, server, ended.signal)
    logger.info(
      { trace_id: trace.traceId, request_id: trace.requestId, path: target.split('?', 1)[0] },
      'socket closed',
    )
  } finally {
    forget()
    leave()
  }
}

async function identify(
  message: IncomingMessage,
  { settings, cookie }: SocketParts,
  openSession: (
    ticket: NonNullable<ReturnType<typeof parseTicket>>,
  ) => Promise<Session | undefined>,
): Promise<{ session: Session | undefined; authorization: string }> {
  const { headers } = message
  const values = cookie.valuesIn(headers.cookie)
  if (headers.authorization !== undefined && values.length > 0) throw twoIdentities()
  if (headers.authorization === undefined || headers.origin !== undefined) {
    requireOwnOrigin(headers, settings)
  }
  if (headers.authorization !== undefined) {
    return { session: undefined, authorization: headers.authorization }
  }
  if (values.length > 1) throw sessionCookieAmbiguous()
  const ticket = parseTicket(values[0] ?? '')
  const session = ticket && (await openSession(ticket))
  if (!session) throw notSignedIn()
  return { session, authorization: `Bearer ${session.record.access_token}` }
}

type Upgraded = { answer: IncomingMessage; socket: Duplex; head: Buffer }

function handshake(asked: ClientRequest, client: Duplex): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const giveUp = () => asked.destroy()
    client.once('close', giveUp)
    asked.setTimeout(HANDSHAKE_TIMEOUT_MS, () => {
      reject(upstreamTimeout(new Error('no answer to the WebSocket handshake')))
      asked.destroy()
    })
    asked.on('error', (error) => reject(upstreamUnreachable(error)))
    asked.on('upgrade', (answer, socket, head) => {
      client.off('close', giveUp)
      resolve({ answer, socket, head })
    })
    asked.on('response', (answer) => {
      answer.resume()
      const status = answer.statusCode ?? 502
      reject(
        status >= 400 && status < 500
          ? new Problem('socket-refused', status, 'The service behind refused the WebSocket.')
          : upstreamUnreachable(new Error(`the WebSocket handshake was answered with ${status}`)),
      )
    })
    asked.end()
  })
}

/** Lets a socket live as long as its peer does: no time-out of requests, and a probe where it is silent. */
function outlast(socket: Duplex): void {
  if (!(socket instanceof Socket)) return
  socket.setTimeout(0)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
}

/** Passes bytes both ways until one side ends or `ended` says so. */
function joined(client: Duplex, server: Duplex, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      client.destroy()
      server.destroy()
      resolve()
    }
    for (const side of [client, server]) {
      side.on('error', finish)
      side.on('close', finish)
    }
    if (ended.aborted || client.destroyed || server.destroyed) finish()
    ended.addEventListener('abort', finish)
    client.pipe(server)
    server.pipe(client)
  })
}

function handshakeAnswer(answer: IncomingMessage, trace: Trace): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket']
  for (const name of HANDSHAKE_ANSWER) {
    const value = answer.headers[name]
    if (typeof value === 'string') lines.push(`${name}: ${value}`)
  }
  return `${lines.join('\r\n')}\r\nx-request-id: ${trace.requestId}\r\n\r\n`
}

function refuse(socket: Duplex, problem: Problem, trace: Trace): void {
  if (!socket.writable) return
  const body = JSON.stringify(problem.document(trace.traceId))
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.code}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
