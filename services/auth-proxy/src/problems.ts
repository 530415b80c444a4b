export type ProblemOptions = { detail?: string; headers?: Record<string, string>; cause?: unknown }

/** An error as it is answered: problem details (RFC 9457), in the shape that all services share. */
export class Problem extends Error {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string | undefined
  readonly headers: Record<string, string>

  constructor(code: string, status: number, title: string, options: ProblemOptions = {}) {
    super(options.detail ?? title, { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = status
    this.title = title
    this.detail = options.detail
    this.headers = options.headers ?? {}
  }

  /** The document; `traceId` is what a person gives to whoever reads the logs. */
  document(traceId: string): Record<string, unknown> {
    return {
      type: `/problems/${this.code}`,
      title: this.title,
      status: this.status,
      ...(this.detail !== undefined && { detail: this.detail }),
      trace_id: traceId,
    }
  }
}

export const notSignedIn = (detail?: string) =>
  new Problem('not-signed-in', 401, 'This needs a signed-in session.', detail ? { detail } : {})

export const sessionCookieAmbiguous = () =>
  new Problem('session-cookie-ambiguous', 400, 'The session cookie was sent more than once.', {
    detail: 'Remove the cookies of this site in the browser and sign in again.',
  })

export const twoIdentities = () =>
  new Problem('two-identities', 400, 'The request names two callers.', {
    detail: 'Send either the session cookie or an Authorization header, not both.',
  })

export const originRefused = (detail: string) =>
  new Problem('origin-refused', 403, 'The request comes from another site.', { detail })

export const csrfTokenInvalid = () =>
  new Problem(
    'csrf-token-invalid',
    403,
    'The X-CSRF-Token header does not belong to this session.',
    {
      detail: 'Send the csrf_token that GET /auth/me answers.',
    },
  )

export const hostUnknown = () =>
  new Problem('host-unknown', 421, 'This server does not answer for that host.', {
    detail:
      'The Host header has to be that of PUBLIC_ORIGIN, of CORS_ORIGINS or one of ALLOWED_HOSTS.',
  })

export const targetMalformed = () =>
  new Problem('target-malformed', 400, 'The path is not written in its plain form.', {
    detail:
      'Encoded slashes, dot segments, empty segments, doubly encoded characters, backslashes and control characters are refused.',
  })

export const headerRepeated = (name: string) =>
  new Problem('header-repeated', 400, 'A header that must be unique came twice.', {
    detail: `The header ${name} may be sent once.`,
  })

export const methodNotAllowed = (allowed: readonly string[]) =>
  new Problem('method-not-allowed', 405, 'This address does not take that method.', {
    detail: `Allowed: ${allowed.join(', ')}.`,
    headers: { allow: allowed.join(', ') },
  })

export const notFound = () => new Problem('not-found', 404, 'There is nothing here.')

export const bodyTooLarge = (limit: number) =>
  new Problem('body-too-large', 413, 'The body is too large.', {
    detail: `At most ${limit} bytes are taken here.`,
  })

export const bodyStalled = () =>
  new Problem('body-stalled', 408, 'The body came too slowly.', {
    detail: 'The connection was given up because too few bytes arrived.',
  })

export const mediaTypeUnsupported = () =>
  new Problem('media-type-unsupported', 415, 'A browser session sends JSON.', {
    detail: 'The content type has to be application/json (UTF-8) or one that ends in +json.',
  })

export const sessionStoreUnavailable = (cause: unknown) =>
  new Problem('session-store-unavailable', 503, 'Sessions cannot be read at the moment.', {
    detail: 'Nothing was changed. Try again shortly.',
    headers: { 'retry-after': '2' },
    cause,
  })

export const overloaded = (compartment: string) =>
  new Problem('overloaded', 503, 'Too many requests are waiting.', {
    detail: `The limit of requests in flight (${compartment}) is reached. Try again shortly.`,
    headers: { 'retry-after': '1' },
  })

export const upstreamUnreachable = (cause: unknown) =>
  new Problem('upstream-unreachable', 502, 'The service behind did not answer properly.', {
    detail: 'It could not be reached or broke off its answer. Try again shortly.',
    cause,
  })

export const upstreamTimeout = (cause: unknown) =>
  new Problem('upstream-timeout', 504, 'The service behind did not answer in time.', { cause })

export const sessionRenewed = () =>
  new Problem('session-renewed', 503, 'The session was renewed while the body was under way.', {
    detail: 'Send the request again.',
    headers: { 'retry-after': '0' },
  })

export const internalError = (cause: unknown) =>
  new Problem('internal-error', 500, 'An unexpected failure on our side.', { cause })
