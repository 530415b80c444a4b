import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import type { Metrics } from '../metrics.ts'
import {
  internalError,
  mediaTypeUnsupported,
  notFound,
  Problem,
  targetMalformed,
} from '../problems.ts'
import { traceOf } from '../trace.ts'

/** Answers every failure as a problem document; logs with its cause what is not the caller's fault. */
export const problems = plugin<{ metrics: Metrics }>(async (app, { metrics }) => {
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error)
    metrics.refused.inc({ problem: problem.code })
    return answerProblem(problem, request, reply)
  })
  app.setNotFoundHandler(() => {
    throw notFound()
  })

  // What is left of a body that nobody read must not keep the connection open.
  app.addHook('onSend', async (request, reply) => {
    if (!request.raw.complete) reply.header('connection', 'close')
  })
})

export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const problem = asProblem(error)
  if (problem.status >= 500) {
    const fields = { problem: problem.code, err: problem.cause ?? problem }
    if (problem.status === 500) request.log.error(fields, 'request crashed')
    else request.log.warn(fields, 'request failed')
  }
  return reply
    .code(problem.status)
    .headers({ 'cache-control': 'no-store', ...problem.headers })
    .type('application/problem+json')
    .send(JSON.stringify(problem.document(traceOf(request.raw).traceId)))
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  const { code, statusCode } = error as Partial<FastifyError>
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') return targetMalformed()
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return mediaTypeUnsupported()
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem('request-invalid', statusCode, 'The request cannot be read.')
  }
  return internalError(error)
}
