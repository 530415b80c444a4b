import * as v from 'valibot'
import { type Caller, requestHeaders } from './headers.ts'
import { upstreamUnreachable } from './problems.ts'
import { Person, TokenAnswer } from './schemas/session.ts'
import { readAnswer, type Upstream } from './upstream.ts'

/** The largest answer that auth-service gives to one of these calls. */
const ANSWER_BYTES = 256 * 1024
/** Nobody waits longer than this for new tokens. */
export const AUTH_TIMEOUT_MS = 10_000

/** An answer that is passed on as it is. */
export type Passed = {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

/** What this service asks of auth-service in its own name. */
export interface AuthClient {
  /** Sends credentials; tokens when they were accepted, else the answer to pass on. */
  signIn(
    path: string,
    body: Buffer,
    from: Origin,
  ): Promise<{ tokens: TokenAnswer; status: number } | Passed>
  /** New tokens for a refresh token, or undefined when it is dead. */
  refresh(refreshToken: string, from: Origin): Promise<TokenAnswer | undefined>
  /** Ends the session that the refresh token belongs to. */
  signOut(refreshToken: string, from: Origin): Promise<void>
  /** Ends every session of the bearer; the answer as auth-service gives it. */
  signOutEverywhere(accessToken: string, from: Origin): Promise<Passed>
  /** Who the bearer is, or the answer to pass on. */
  whoAmI(accessToken: string, from: Origin): Promise<{ user: Person } | Passed>
}

/** On whose behalf a call is made; the user agent is what a person recognises in the list of sessions. */
export type Origin = Caller & { userAgent: string | undefined }

export function createAuthClient(upstream: Upstream): AuthClient {
  async function call(method: string, path: string, from: Origin, body?: Buffer): Promise<Passed> {
    const leave = upstream.enter('records')
    try {
      const given = body ? { 'content-type': 'application/json' } : {}
      const headers = requestHeaders({ ...given, 'user-agent': from.userAgent }, from)
      const signal = AbortSignal.timeout(AUTH_TIMEOUT_MS)
      const answer = await upstream.send({ method, path, headers, body, signal }, 'records')
      return {
        status: answer.status,
        headers: answer.headers,
        body: await readAnswer(answer.body, ANSWER_BYTES),
      }
    } finally {
      leave()
    }
  }

  return {
    async signIn(path, body, from) {
      const answer = await call('POST', path, from, body)
      if (answer.status !== 200 && answer.status !== 201) return answer
      return { tokens: promised(TokenAnswer, answer), status: answer.status }
    },
    async refresh(refreshToken, from) {
      const answer = await call(
        'POST',
        '/auth/refresh',
        from,
        json({ refresh_token: refreshToken }),
      )
      if (answer.status === 200) return promised(TokenAnswer, answer)
      // 400, 401, 403, 422: this token will never be taken again. Anything else may pass.
      if ([400, 401, 403, 422].includes(answer.status)) return undefined
      throw upstreamUnreachable(new Error(`auth-service answered ${answer.status} to a refresh`))
    },
    async signOut(refreshToken, from) {
      await call('POST', '/auth/logout', from, json({ refresh_token: refreshToken }))
    },
    signOutEverywhere: (accessToken, from) =>
      call('POST', '/auth/logout-everywhere', bearing(accessToken, from)),
    async whoAmI(accessToken, from) {
      const answer = await call('GET', '/auth/me', bearing(accessToken, from))
      return answer.status === 200 ? { user: promised(Person, answer) } : answer
    },
  }
}

function bearing(accessToken: string, from: Origin): Origin {
  return { ...from, authorization: `Bearer ${accessToken}` }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** The document that auth-service promised. Throws 502 for anything else, without quoting it. */
function promised<Schema extends v.GenericSchema>(
  schema: Schema,
  answer: Passed,
): v.InferOutput<Schema> {
  try {
    return v.parse(schema, JSON.parse(answer.body.toString()))
  } catch {
    throw upstreamUnreachable(new Error('auth-service answered something else than it promises'))
  }
}
