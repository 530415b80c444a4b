import plugin from 'fastify-plugin'
import type { Metrics } from '../metrics.ts'

/** Observes every request under its matched route, so that no caller can make new series. */
export const measuring = plugin<{ metrics: Metrics }>(async (app, { metrics }) => {
  app.addHook('onResponse', async (request, reply) => {
    metrics.requests.observe(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: String(reply.statusCode),
      },
      reply.elapsedTime / 1000,
    )
  })
})
