import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { context, type Span, SpanKind, TraceFlags, type Tracer, trace } from '@opentelemetry/api'

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/
const TRACESTATE = /^[\x20-\x7e]{1,512}$/
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

/** How one request is followed through logs, problems and the services behind. */
export type Trace = {
  readonly requestId: string
  readonly traceId: string
  /** The W3C header for the services behind, with this process as the parent. */
  readonly traceparent: string
  readonly tracestate: string | undefined
  readonly span: Span | undefined
}

const PROBE = /^\/(?:health|ready|metrics)(?:\?|$)/

const known = new WeakMap<IncomingMessage, Trace>()

/** The trace of a request: continued from its `traceparent` where it has a valid one, else begun here.
 *
 * With a tracer (OTLP configured) a span is begun as well; whoever answers has to end it.
 */
export function traceOf(message: IncomingMessage, tracer?: Tracer): Trace {
  const before = known.get(message)
  if (before) return before
  const begun = begin(message, tracer)
  known.set(message, begun)
  return begun
}

function begin(message: IncomingMessage, tracer: Tracer | undefined): Trace {
  const given = TRACEPARENT.exec(headerOf(message, 'traceparent') ?? '')
  const state = headerOf(message, 'tracestate')
  const id = headerOf(message, 'x-request-id')
  const parent = given && {
    traceId: given[1] as string,
    spanId: given[2] as string,
    traceFlags: Number.parseInt(given[3] as string, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  }
  const parents = parent ? trace.setSpanContext(context.active(), parent) : context.active()
  // Probes would be most of all spans.
  const sender = PROBE.test(message.url ?? '') ? undefined : tracer
  const span = sender?.startSpan(message.method ?? 'HTTP', { kind: SpanKind.SERVER }, parents)
  const own = span?.spanContext() ?? {
    traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    traceFlags: parent?.traceFlags ?? TraceFlags.NONE,
  }
  const flags = own.traceFlags.toString(16).padStart(2, '0')
  return {
    requestId: id && REQUEST_ID.test(id) ? id : randomUUID(),
    traceId: own.traceId,
    traceparent: `00-${own.traceId}-${own.spanId}-${flags}`,
    tracestate: parent && state && TRACESTATE.test(state) ? state : undefined,
    span,
  }
}

function headerOf(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name]
  return typeof value === 'string' ? value : undefined
}
