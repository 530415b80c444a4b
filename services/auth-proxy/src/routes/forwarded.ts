import type { FastifyPluginAsync } from 'fastify'
import { FORWARDED_METHODS, type ForwardParts, forward } from '../forward.ts'
import { methodNotAllowed } from '../problems.ts'
import type { Upstream } from '../upstream.ts'

export type ForwardedParts = {
  authUpstream: Upstream
  gateway: Upstream
  forwarding: ForwardParts
}

/** What anybody may read: the description of the API and its page. */
const OPEN = ['/api/openapi.json', '/api/docs', '/api/docs/*']

/** Everything else below /auth and /api: forwarded with the session's token instead of its cookie. */
export const forwardedRoutes: FastifyPluginAsync<ForwardedParts> = async (app, parts) => {
  const { authUpstream, gateway, forwarding } = parts
  const behind: Record<string, Upstream> = { '/auth/*': authUpstream, '/api/*': gateway }

  for (const [url, upstream] of Object.entries(behind)) {
    app.route({
      method: FORWARDED_METHODS,
      url,
      config: { access: 'caller' },
      handler: (request, reply) => forward(request, reply, upstream, forwarding),
    })
    app.route({
      method: 'TRACE',
      url,
      config: { access: 'anyone' },
      handler: async () => {
        throw methodNotAllowed(FORWARDED_METHODS)
      },
    })
  }

  for (const url of OPEN) {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      config: { access: 'anyone' },
      handler: (request, reply) => forward(request, reply, gateway, forwarding),
    })
  }
}
