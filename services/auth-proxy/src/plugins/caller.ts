import type { FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import type { Origin } from '../auth-client.ts'
import { hasBody } from '../body.ts'
import type { SessionCookie } from '../cookies.ts'
import { bringsFile, isTypeOfFile } from '../files.ts'
import { requireOwnOrigin } from '../origin-rule.ts'
import {
  csrfTokenInvalid,
  mediaTypeUnsupported,
  notSignedIn,
  sessionCookieAmbiguous,
  twoIdentities,
} from '../problems.ts'
import { parseTicket, type Ticket } from '../seal.ts'
import type { Session, Sessions } from '../sessions.ts'
import type { Settings } from '../settings.ts'

/** Who may call a route.
 *
 * - `anyone`: nobody is asked who they are.
 * - `session`: a browser session alone.
 * - `caller`: a browser session, or a program with an Authorization header.
 * - `leaver`: as `caller`, with the session as it stands: its tokens are not renewed, and none is no error.
 */
export type Access = 'anyone' | 'session' | 'caller' | 'leaver'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyInstance {
    /** The access of each route, by method and address. */
    accessOf: Map<string, Access>
  }
  interface FastifyRequest {
    /** The browser session that the request acts in; undefined for programs and where anyone may call. */
    session: Session | undefined
    /** The Authorization header of a program. */
    program: string | undefined
  }
}

export type CallerParts = {
  cookie: SessionCookie
  sessions: Sessions
  settings: Pick<Settings, 'origins' | 'production'>
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i

/** One gate for every route: where the request comes from, who sends it, and that its page meant it.
 *
 * A route that does not declare its access stops the service from starting.
 */
export const caller = plugin<CallerParts>(async (app, { cookie, sessions, settings }) => {
  app.decorateRequest('session')
  app.decorateRequest('program')

  app.decorate('accessOf', new Map())
  app.addHook('onRoute', (route) => {
    // The CORS plugin's own answer to preflights.
    if (route.method === 'OPTIONS' && route.url === '*') return
    const access = route.config?.access
    if (!access) throw new Error(`${route.method} ${route.url} declares no access`)
    for (const method of [route.method].flat()) app.accessOf.set(`${method} ${route.url}`, access)
  })

  app.addHook('onRequest', async (request) => {
    const { headers } = request.raw
    const values = cookie.valuesIn(headers.cookie)
    const program = headers.authorization !== undefined && values.length === 0
    const unsafe = !SAFE.has(request.method)
    const { access } = request.routeOptions.config
    if (unsafe && !(program && access !== 'anyone')) requireOwnOrigin(headers, settings)
    if (request.is404) return
    if (access === 'anyone') {
      if (unsafe) requireJson(request)
      return
    }
    if (headers.authorization !== undefined) {
      if (!program) throw twoIdentities()
      if (access === 'session') throw notSignedIn('This address serves browser sessions only.')
      request.program = headers.authorization
      return
    }
    const ticket = ticketIn(values)
    const session =
      ticket &&
      (await (access === 'leaver'
        ? sessions.peek(ticket)
        : sessions.open(ticket, originOf(request))))
    if (!session) {
      if (access === 'leaver') return
      throw notSignedIn()
    }
    if (unsafe) {
      const token = headers['x-csrf-token']
      if (typeof token !== 'string' || !sessions.csrfTokenMatches(token, session)) {
        throw csrfTokenInvalid()
      }
      requireJson(request)
    }
    request.session = session
  })
})

function ticketIn(values: readonly string[]): Ticket | undefined {
  if (values.length > 1) throw sessionCookieAmbiguous()
  return parseTicket(values[0] ?? '')
}

function requireJson(request: FastifyRequest): void {
  if (!hasBody(request.raw)) return
  const type = request.raw.headers['content-type'] ?? ''
  if (bringsFile(request) && isTypeOfFile(type)) return
  if (!JSON_TYPE.test(type)) throw mediaTypeUnsupported()
}

/** On whose behalf this process calls others for a request. */
export function originOf(request: FastifyRequest): Origin {
  return {
    address: request.address,
    userAgent: request.raw.headers['user-agent'],
    trace: request.trace,
  }
}
