import cors from '@fastify/cors'
import type { Tracer } from '@opentelemetry/api'
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify'
import type { Logger } from 'pino'
import { addressesBehind } from './addresses.ts'
import { createAuthClient } from './auth-client.ts'
import { answerClientError } from './client-errors.ts'
import { followConnections } from './connections.ts'
import { sessionCookie } from './cookies.ts'
import { createMetrics } from './metrics.ts'
import { caller } from './plugins/caller.ts'
import { door } from './plugins/door.ts'
import { measuring } from './plugins/measuring.ts'
import { answerProblem, problems } from './plugins/problems.ts'
import { tracing } from './plugins/tracing.ts'
import { readinessOf } from './readiness.ts'
import { forwardedRoutes } from './routes/forwarded.ts'
import { operationsRoutes } from './routes/operations.ts'
import { sessionRoutes } from './routes/session.ts'
import type { SessionStore } from './session-store.ts'
import { Sessions } from './sessions.ts'
import type { Settings } from './settings.ts'
import { Streams } from './streams.ts'
import { canonicalTarget } from './target.ts'
import { traceOf } from './trace.ts'
import { Upstream } from './upstream.ts'
import { acceptSockets, isWebSocket } from './websocket.ts'

export type Parts = {
  settings: Settings
  store: SessionStore
  logger: Logger
  tracer?: Tracer | undefined
}

/** A body has to be there within this unless it is a file; a stalled one is noticed sooner by its rules. */
const BODY_TIMEOUT_MS = 10 * 60_000

/** A connection over which nothing moves for this long, beyond what a service may take, is closed. */
const QUIET_MS = 60_000

/** The whole wiring of auth-proxy, from the door to what stands behind. */
export function createApp({ settings, store, logger, tracer }: Parts) {
  const app = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id',
    }),
    genReqId: (message) => traceOf(message, tracer).requestId,
    childLoggerFactory: (parent, bindings, options, message) =>
      parent.child({ ...bindings, trace_id: traceOf(message, tracer).traceId }, options),
    // One spelling for routing, for every rule and for the services behind; the door refuses what has none.
    rewriteUrl: (message) => canonicalTarget(message.url ?? '') ?? '/',
    exposeHeadRoutes: false,
    // Node knows one limit for all requests, and files take as long as they take: see `body.ts`.
    requestTimeout: 0,
    connectionTimeout: settings.upstreamTimeoutMs + QUIET_MS,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    // A request that was on its way when the process began to stop is still answered.
    return503OnClosing: false,
    http: {
      headersTimeout: settings.stallMs,
      connectionsCheckingInterval: Math.min(2000, settings.stallMs / 2),
      shouldUpgradeCallback: isWebSocket,
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: answerProblem,
  })

  const limits = {
    maxInFlight: settings.maxInFlight,
    maxStreams: settings.maxStreams,
    timeoutMs: settings.upstreamTimeoutMs,
  }
  const authUpstream = new Upstream(settings.authUrl, limits)
  const gateway = new Upstream(settings.gatewayUrl, limits)
  const cookie = sessionCookie(settings.secureCookie)
  const auth = createAuthClient(authUpstream)
  const streams = new Streams()
  const metrics = createMetrics(streams, gateway)
  const readiness = readinessOf(store, gateway)
  const sessions = new Sessions(store, auth, settings, {
    renewed: (result) => metrics.renewals.inc({ result }),
    failed: (error) => logger.warn({ err: error }, 'work on a session failed in the background'),
  })
  const addressOf = addressesBehind(settings.trustedProxies)
  const bodies = { limit: settings.bodyLimit, stallMs: settings.stallMs, withinMs: BODY_TIMEOUT_MS }
  const forwarding = { sessions, streams, bodies }

  // Bodies are read or streamed by whoever needs them; Fastify parses none.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))

  app.register(tracing, { tracer })
  app.register(problems, { metrics })
  app.addHook('onRequest', async (_request, reply) => {
    // Whoever comes by this connection again would meet a closed door.
    if (readiness.stopping) reply.header('connection', 'close')
  })
  app.register(measuring, { metrics })
  app.register(door, { rules: settings, addressOf })
  app.register(cors, {
    origin: [...settings.origins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Accept',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Last-Event-ID',
      'Range',
      'Repr-Digest',
      'X-CSRF-Token',
      'X-Request-Id',
      'traceparent',
    ],
    exposedHeaders: [
      'Content-Disposition',
      'Content-Range',
      'ETag',
      'Link',
      'RateLimit',
      'RateLimit-Policy',
      'Repr-Digest',
      'Retry-After',
      'X-Request-Id',
    ],
    maxAge: 600,
    strictPreflight: false,
  })
  app.register(caller, { cookie, sessions, settings })
  app.register(operationsRoutes, { metrics, readiness })
  app.register(sessionRoutes, {
    auth,
    authUpstream,
    cookie,
    sessions,
    maxSeconds: settings.maxSeconds,
    forwarding,
  })
  app.register(forwardedRoutes, { authUpstream, gateway, forwarding })

  store.onEnded((name) => streams.endSession(name))
  acceptSockets(app.server, { settings, cookie, sessions, streams, gateway, logger, addressOf })
  const connections = followConnections(app.server)
  app.addHook('preClose', async () => {
    streams.endAll()
    connections.drain()
  })
  app.addHook('onClose', async () => {
    await Promise.all([authUpstream.close(), gateway.close()])
    store.close()
  })
  return Object.assign(app, { announceStop: readiness.stop })
}
