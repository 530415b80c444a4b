import type { IncomingHttpHeaders } from 'node:http'
import type { Trace } from './trace.ts'

/** The request headers that go on to the services. Whatever is not named here ends in this process. */
const FORWARDED = [
  'accept',
  'accept-encoding',
  'accept-language',
  'content-digest',
  'content-encoding',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'prefer',
  'range',
  'repr-digest',
  'user-agent',
] as const

/** The response headers that reach the caller. Cookies, CORS and hop-by-hop headers are this process's own. */
const ANSWERED = new Set([
  'accept-ranges',
  'age',
  'allow',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-security-policy',
  'content-type',
  'cross-origin-resource-policy',
  'deprecation',
  'etag',
  'expires',
  'idempotency-replayed',
  'last-modified',
  'link',
  'location',
  'preference-applied',
  'ratelimit',
  'ratelimit-policy',
  'repr-digest',
  'retry-after',
  'sunset',
  'www-authenticate',
  'x-accel-buffering',
])

const ACTIVE_CONTENT =
  /^(?:text\/html|application\/xhtml\+xml|image\/svg\+xml|(?:text|application)\/xml)\b/i

const NOT_PLAIN = /[^\t\x20-\x7e]/g

export type Caller = {
  /** The address of the client as far as the trusted proxies tell it. */
  address: string
  authorization?: string | undefined
  trace: Trace
}

/** The headers of a forwarded request: the allow-list of what came, then what this process says itself.
 *
 * Built from nothing, so that no name in `Connection` and no look-alike (`X_User_Id`) can add to it
 * or take away from it.
 */
export function requestHeaders(given: IncomingHttpHeaders, caller: Caller): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of FORWARDED) {
    const value = given[name]
    if (typeof value === 'string') headers[name] = value
  }
  headers['x-forwarded-for'] = caller.address
  headers['x-request-id'] = caller.trace.requestId
  headers.traceparent = caller.trace.traceparent
  if (caller.trace.tracestate) headers.tracestate = caller.trace.tracestate
  if (caller.authorization) headers.authorization = caller.authorization
  return headers
}

export type AnswerHeaders = Record<string, string | string[]>

/** The headers of a forwarded answer: the allow-list, never cached for another caller, and no script of a user's file. */
export function answerHeaders(
  given: Record<string, string | string[] | undefined>,
  upstreamOrigin: string,
  path: string,
): AnswerHeaders {
  const headers: AnswerHeaders = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && ANSWERED.has(name)) headers[name] = plain(value)
  }
  if (typeof headers.location === 'string') {
    headers.location = withoutOrigin(headers.location, upstreamOrigin)
  }
  headers['cache-control'] ??= 'no-store'
  headers.vary = varyOf(given.vary)
  const type = String(headers['content-type'] ?? '')
  if (ACTIVE_CONTENT.test(type) && !/^\/api\/docs(?:\/|$)/.test(path)) {
    headers['content-security-policy'] ??= "sandbox; default-src 'none'; style-src 'unsafe-inline'"
  }
  return headers
}

/** A header value as it can be written again: ASCII, as HTTP asks of file names too (RFC 6266). */
function plain(value: string | string[]): string | string[] {
  const text = (one: string) => one.replace(NOT_PLAIN, '_')
  return typeof value === 'string' ? text(value) : value.map(text)
}

function withoutOrigin(location: string, origin: string): string {
  return location.startsWith(`${origin}/`) ? location.slice(origin.length) : location
}

function varyOf(given: string | string[] | undefined): string {
  const own = ['Origin', 'Cookie', 'Authorization']
  const names = String(given ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name && !own.some((mine) => mine.toLowerCase() === name.toLowerCase()))
  return [...own, ...names].join(', ')
}
