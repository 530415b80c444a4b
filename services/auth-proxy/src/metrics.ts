import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Streams } from './streams.ts'
import type { Upstream } from './upstream.ts'

const COMPARTMENTS = ['records', 'series', 'files', 'streams'] as const

export type Metrics = ReturnType<typeof createMetrics>

/** What Prometheus reads from this process. */
export function createMetrics(streams: Streams, gateway: Upstream) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'runbench_streams_open',
    help: 'Live answers and sockets that are open.',
    registers,
    collect() {
      this.set(streams.size)
    },
  })
  new Gauge({
    name: 'runbench_upstream_requests_in_flight',
    help: 'Requests that the gateway has not answered yet, by compartment.',
    labelNames: ['compartment'] as const,
    registers,
    collect() {
      for (const compartment of COMPARTMENTS) {
        this.set({ compartment }, gateway.inFlight(compartment))
      }
    },
  })
  return {
    registry,
    requests: new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Duration of requests by matched route.',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    refused: new Counter({
      name: 'runbench_requests_refused_total',
      help: 'Requests that ended with a problem of this process, by its code.',
      labelNames: ['problem'] as const,
      registers,
    }),
    renewals: new Counter({
      name: 'runbench_session_renewals_total',
      help: 'Refreshes asked of auth-service, by result.',
      labelNames: ['result'] as const,
      registers,
    }),
  }
}
