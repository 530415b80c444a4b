import type { FastifyPluginAsync } from 'fastify'
import type { Metrics } from '../metrics.ts'
import type { readinessOf } from '../readiness.ts'

export type OperationsParts = { metrics: Metrics; readiness: ReturnType<typeof readinessOf> }

/** What those who run the service ask it. */
export const operationsRoutes: FastifyPluginAsync<OperationsParts> = async (app, parts) => {
  const { metrics, readiness } = parts
  const open = { method: ['GET', 'HEAD'], config: { access: 'anyone' as const } }

  app.route({
    ...open,
    url: '/health',
    // Whoever chooses between several asks this first: who leaves gets nothing new.
    handler: async (_request, reply) =>
      reply
        .code(readiness.stopping ? 503 : 200)
        .header('cache-control', 'no-store')
        .send({ status: readiness.stopping ? 'draining' : 'ok' }),
  })

  app.route({
    ...open,
    url: '/ready',
    handler: async (_request, reply) => {
      const answer = await readiness.now()
      return reply
        .code(answer.status === 'ok' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(answer)
    },
  })

  app.route({
    ...open,
    url: '/metrics',
    handler: async (_request, reply) =>
      reply
        .header('cache-control', 'no-store')
        .type(metrics.registry.contentType)
        .send(await metrics.registry.metrics()),
  })
}
