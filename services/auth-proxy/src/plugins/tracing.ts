import { SpanStatusCode, type Tracer } from '@opentelemetry/api'
import plugin from 'fastify-plugin'
import { type Trace, traceOf } from '../trace.ts'

declare module 'fastify' {
  interface FastifyRequest {
    trace: Trace
  }
}

const LOGGED_PATH = 300
const PROBES = new Set(['/health', '/ready', '/metrics'])

/** Gives every request its trace, names it in the answer, and writes one log line when it is over. */
export const tracing = plugin<{ tracer: Tracer | undefined }>(async (app, { tracer }) => {
  app.decorateRequest('trace')
  app.addHook('onRequest', async (request, reply) => {
    request.trace = traceOf(request.raw, tracer)
    reply.header('x-request-id', request.trace.requestId)
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
  })

  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const status = reply.statusCode
    const { span } = request.trace
    span?.updateName(`${request.method} ${route}`)
    span?.setAttributes({
      'http.request.method': request.method,
      'http.route': route,
      'http.response.status_code': status,
    })
    if (status >= 500) span?.setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
    const level = status >= 500 ? 'warn' : PROBES.has(route) ? 'debug' : 'info'
    request.log[level](
      {
        method: request.method,
        route,
        path: request.url.split('?', 1)[0]?.slice(0, LOGGED_PATH),
        status,
        milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    )
  })

  app.addHook('onRequestAbort', async (request) => {
    request.trace.span?.end()
  })
})
