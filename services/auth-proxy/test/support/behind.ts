import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'

export type Seen = {
  method: string
  url: string
  headers: IncomingHttpHeaders
  rawHeaders: string[]
  body: string
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

const PASSWORD = 'correct horse battery'

/** A real HTTP server that plays auth-service and gateway: it keeps the contract and remembers what it was sent.
 *
 * `/api/…` echoes the request unless a test has put a handler there.
 */
export class Behind {
  readonly seen: Seen[] = []
  readonly handlers = new Map<string, Handler>()
  readonly live = new Map<string, { refresh: string; access: string; user: string }>()
  readonly sockets: string[] = []
  refreshes = 0
  tokenSeconds = 900
  refreshDelayMs = 0
  authIsDown = false
  readonly #server = createServer((request, response) => {
    // A caller that goes away in the middle of its body is part of some tests.
    this.#answer(request, response).catch(() => response.destroy())
  })
  readonly #connections = new Set<Duplex>()

  async start(): Promise<string> {
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket)
      socket.on('close', () => this.#connections.delete(socket))
    })
    const sockets = new WebSocketServer({ noServer: true })
    this.#server.on('upgrade', (request, socket, head) => {
      this.seen.push(seenOf(request, ''))
      if (!this.#bearerIsLive(request)) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')
        return
      }
      sockets.handleUpgrade(request, socket, head, (peer) => {
        peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
        peer.send(JSON.stringify({ authorization: request.headers.authorization }))
      })
    })
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.dropConnections()
  }

  dropConnections(): void {
    for (const socket of this.#connections) socket.destroy()
  }

  /** Forgets every session, as an administrator's deactivation would. */
  revokeAll(): void {
    this.live.clear()
  }

  last(path: string): Seen {
    const found = this.seen.findLast(({ url }) => url.startsWith(path))
    if (!found) throw new Error(`nothing was sent to ${path}`)
    return found
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    const path = (request.url ?? '').split('?', 1)[0] as string
    const handler = this.handlers.get(path)
    if (handler) {
      await handler(request, response)
      return
    }
    for await (const chunk of request) body += chunk
    this.seen.push(seenOf(request, body))
    if (path === '/health') return json(response, 200, { status: 'ok' })
    if (path.startsWith('/auth/')) return this.#auth(path, request, response, body)
    if (!this.#bearerIsLive(request) && !/^\/api\/(docs|openapi)/.test(path)) {
      return problem(response, 401, 'token-invalid')
    }
    json(response, 200, {
      method: request.method,
      url: request.url,
      headers: request.headers,
      body,
    })
  }

  async #auth(path: string, request: IncomingMessage, response: ServerResponse, text: string) {
    if (this.authIsDown) {
      request.socket.destroy()
      return
    }
    const body = text ? JSON.parse(text) : {}
    const bearer = [...this.live.entries()].find(
      ([, { access }]) => request.headers.authorization === `Bearer ${access}`,
    )
    switch (`${request.method} ${path}`) {
      case 'POST /auth/register':
        return json(response, 201, this.#issue(randomUUID(), body.email), {
          'set-cookie': 'upstream=1',
        })
      case 'POST /auth/login':
        if (body.password !== PASSWORD) return problem(response, 401, 'wrong-credentials')
        return json(response, 200, this.#issue(randomUUID(), body.email), {
          'set-cookie': 'upstream=1',
        })
      case 'POST /auth/refresh': {
        this.refreshes += 1
        await new Promise((done) => setTimeout(done, this.refreshDelayMs))
        const found = [...this.live.entries()].find(
          ([, { refresh }]) => refresh === body.refresh_token,
        )
        if (!found) return problem(response, 401, 'refresh-token-invalid')
        return json(response, 200, this.#issue(found[0], found[1].user))
      }
      case 'POST /auth/logout':
        for (const [id, { refresh }] of this.live) {
          if (refresh === body.refresh_token || bearer?.[0] === id) this.live.delete(id)
        }
        response.writeHead(204).end()
        return
      case 'POST /auth/logout-everywhere':
        this.live.clear()
        response.writeHead(204).end()
        return
      case 'POST /auth/password-reset':
        return json(response, 202, {})
      case 'POST /auth/password-reset/confirm':
        response.writeHead(204).end()
        return
      default:
        if (request.headers.authorization === 'Bearer rb_pat_good') {
          return json(response, 200, { kind: 'token', path })
        }
        if (!bearer) return problem(response, 401, 'token-invalid')
        if (path === '/auth/me') return json(response, 200, me(bearer[1].user))
        if (path === '/auth/change-password') {
          response.writeHead(204).end()
          return
        }
        return json(response, 200, { path, user: bearer[1].user })
    }
  }

  #issue(id: string, user: string) {
    const access = `access-${randomUUID()}`
    const refresh = `refresh-${randomUUID()}`
    this.live.set(id, { access, refresh, user })
    return {
      access_token: access,
      token_type: 'Bearer',
      expires_in: this.tokenSeconds,
      refresh_token: refresh,
      refresh_expires_in: 1209600,
      user: me(user),
    }
  }

  #bearerIsLive(request: IncomingMessage): boolean {
    const { authorization } = request.headers
    if (authorization === 'Bearer rb_pat_good') return true
    return [...this.live.values()].some(({ access }) => authorization === `Bearer ${access}`)
  }
}

function seenOf(request: IncomingMessage, body: string): Seen {
  const { method = '', url = '', headers, rawHeaders } = request
  return { method, url, headers, rawHeaders, body }
}

function me(email: string) {
  return { id: `id-of-${email}`, email, name: email.split('@')[0], kind: 'user' }
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}

function problem(response: ServerResponse, status: number, code: string): void {
  json(
    response,
    status,
    { type: `/problems/${code}`, title: code, status },
    {
      'content-type': 'application/problem+json',
    },
  )
}
