import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { AuthClient, Passed } from '../auth-client.ts'
import { type BodyRules, readBody } from '../body.ts'
import type { SessionCookie } from '../cookies.ts'
import { FORWARDED_METHODS, type ForwardParts, forward } from '../forward.ts'
import { answerHeaders } from '../headers.ts'
import { originOf } from '../plugins/caller.ts'
import { methodNotAllowed, notSignedIn } from '../problems.ts'
import { parseTicket } from '../seal.ts'
import type { Session, Sessions } from '../sessions.ts'
import type { Upstream } from '../upstream.ts'

export type SessionParts = {
  auth: AuthClient
  authUpstream: Upstream
  cookie: SessionCookie
  sessions: Sessions
  maxSeconds: number
  forwarding: ForwardParts
}

const CREDENTIAL_BYTES = 64 * 1024

/** /auth: the browser's session. What is not named here goes on to auth-service. */
export const sessionRoutes: FastifyPluginAsync<SessionParts> = async (app, parts) => {
  const { auth, authUpstream, cookie, sessions, maxSeconds, forwarding } = parts
  const credentials: BodyRules = { ...forwarding.bodies, limit: CREDENTIAL_BYTES }
  const pass = (request: FastifyRequest, reply: FastifyReply) =>
    forward(request, reply, authUpstream, forwarding)

  async function signIn(request: FastifyRequest, reply: FastifyReply) {
    const body = await readBody(request.raw, credentials)
    const from = originOf(request)
    const answer = await auth.signIn(request.routeOptions.url ?? '', body, from)
    if (!('tokens' in answer)) return passed(reply, answer)
    const session = await sessions.begin(answer.tokens, from)
    const former = await formerSession(request)
    if (former) await sessions.end(former, from)
    return reply
      .code(answer.status)
      .header('set-cookie', cookie.keeping(session.ticket.text, maxSeconds))
      .header('cache-control', 'no-store')
      .send({ user: answer.tokens.user, csrf_token: sessions.csrfToken(session) })
  }

  /** The session that this browser held until now; it must not outlive a new sign-in. */
  async function formerSession(request: FastifyRequest): Promise<Session | undefined> {
    const [value, ...others] = cookie.valuesIn(request.raw.headers.cookie)
    const ticket = others.length === 0 ? parseTicket(value ?? '') : undefined
    return ticket && sessions.peek(ticket)
  }

  async function answerMe(request: FastifyRequest, reply: FastifyReply, session: Session) {
    const from = originOf(request)
    const ask = ({ record }: Session) => auth.whoAmI(record.access_token, from)
    let answer = await ask(session)
    if ('status' in answer && answer.status === 401) {
      const renewed = await sessions.afterRefusal(session, from)
      if (!renewed) throw notSignedIn()
      answer = await ask(renewed)
    }
    if ('status' in answer) return passed(reply, answer)
    return reply
      .header('cache-control', 'no-store')
      .send({ user: answer.user, csrf_token: sessions.csrfToken(session) })
  }

  function passed(reply: FastifyReply, answer: Passed) {
    const headers = answerHeaders(answer.headers, authUpstream.origin, '')
    return reply.code(answer.status).headers(headers).send(answer.body)
  }

  function signedOut(reply: FastifyReply) {
    return reply
      .code(204)
      .header('set-cookie', cookie.removing)
      .header('clear-site-data', '"cache", "storage"')
      .header('cache-control', 'no-store')
      .send()
  }

  app.post('/auth/register', { config: { access: 'anyone' } }, signIn)
  app.post('/auth/login', { config: { access: 'anyone' } }, signIn)

  app.route({
    method: ['GET', 'HEAD'],
    url: '/auth/me',
    config: { access: 'caller' },
    handler: async (request, reply) =>
      request.session ? answerMe(request, reply, request.session) : pass(request, reply),
  })
  app.patch('/auth/me', { config: { access: 'caller' } }, pass)

  app.post('/auth/refresh', { config: { access: 'session' } }, async (request, reply) => {
    if (!request.session) throw notSignedIn()
    return answerMe(request, reply, await sessions.renew(request.session, originOf(request)))
  })

  app.post('/auth/logout', { config: { access: 'leaver' } }, async (request, reply) => {
    if (request.program) return pass(request, reply)
    if (request.session) await sessions.end(request.session, originOf(request))
    return signedOut(reply)
  })

  app.post('/auth/logout-everywhere', { config: { access: 'caller' } }, async (request, reply) => {
    if (!request.session) return pass(request, reply)
    const from = originOf(request)
    const answer = await auth.signOutEverywhere(request.session.record.access_token, from)
    if (answer.status !== 204) return passed(reply, answer)
    await sessions.end(request.session, from)
    return signedOut(reply)
  })

  app.post('/auth/change-password', { config: { access: 'caller' } }, pass)
  app.post('/auth/password-reset', { config: { access: 'anyone' } }, pass)
  app.post('/auth/password-reset/confirm', { config: { access: 'anyone' } }, pass)

  const allowedMethods: Record<string, string[]> = {
    '/auth/register': ['POST'],
    '/auth/login': ['POST'],
    '/auth/me': ['GET', 'HEAD', 'PATCH'],
    '/auth/refresh': ['POST'],
    '/auth/logout': ['POST'],
    '/auth/logout-everywhere': ['POST'],
    '/auth/change-password': ['POST'],
    '/auth/password-reset': ['POST'],
    '/auth/password-reset/confirm': ['POST'],
  }
  for (const [url, allowed] of Object.entries(allowedMethods)) {
    app.route({
      method: FORWARDED_METHODS.filter((method) => !allowed.includes(method)),
      url,
      config: { access: 'anyone' },
      handler: async () => {
        throw methodNotAllowed(allowed)
      },
    })
  }
}
