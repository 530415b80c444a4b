import { setTimeout as delay } from 'node:timers/promises'
import type { Tracer } from '@opentelemetry/api'

export type Tracing = { tracer: Tracer; stop: () => Promise<void> }

/** What still waits at the end is sent within this: a collector that takes nothing must not hold up a stop. */
const END_WITHIN_MS = 3000

/** Sends spans to an OTLP endpoint over HTTP.
 *
 * The packages are loaded only here, so that a process without tracing does not carry them. The queue
 * is bounded: with a collector that is away or slow, spans are dropped and no request waits.
 */
export async function startTracing(endpoint: string): Promise<Tracing> {
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, resources] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ])
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: 5000,
  })
  const provider = new TracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': 'auth-proxy' }),
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: 2048 })],
  })
  return {
    tracer: provider.getTracer('auth-proxy'),
    stop: () => Promise.race([provider.shutdown().catch(() => {}), delay(END_WITHIN_MS)]),
  }
}
