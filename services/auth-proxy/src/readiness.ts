import type { SessionStore } from './session-store.ts'
import type { Upstream } from './upstream.ts'

const CHECK_TIMEOUT_MS = 2000
const KEPT_MS = 1000

export type Readiness = {
  status: 'ok' | 'unavailable' | 'draining'
  dependencies: Record<string, 'ok' | 'unreachable'>
}

/** Asks the dependencies whether they answer; an answer is kept for a second, so that probes cost nothing. */
export function readinessOf(store: SessionStore, gateway: Upstream) {
  let stopping = false
  let kept: { at: number; answer: Promise<Readiness> } | undefined

  async function check(): Promise<Readiness> {
    const [valkey, upstream] = await Promise.all([store.ping(), answers(gateway)])
    const told = (ok: boolean) => (ok ? 'ok' : 'unreachable')
    return {
      status: valkey && upstream ? 'ok' : 'unavailable',
      dependencies: { valkey: told(valkey), gateway: told(upstream) },
    }
  }

  return {
    get stopping() {
      return stopping
    },
    /** From now on the process answers that it is going away. */
    stop: () => {
      stopping = true
    },
    async now(): Promise<Readiness> {
      if (!kept || Date.now() - kept.at > KEPT_MS) kept = { at: Date.now(), answer: check() }
      const answer = await kept.answer
      return stopping ? { ...answer, status: 'draining' } : answer
    },
  }
}

async function answers(upstream: Upstream): Promise<boolean> {
  try {
    const { status, body } = await upstream.send(
      {
        method: 'GET',
        path: '/health',
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
      },
      'records',
    )
    body.on('error', () => {}).resume()
    return status === 200
  } catch {
    return false
  }
}
