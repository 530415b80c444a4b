import type { Readable } from 'node:stream'
import { errors, Pool } from 'undici'
import type { Body } from './body.ts'
import { overloaded, Problem, upstreamTimeout, upstreamUnreachable } from './problems.ts'

const CONNECT_TIMEOUT_MS = 3000
/** A live stream sends a heartbeat every 15 s; this many silent milliseconds mean that it is dead. */
const STREAM_SILENCE_MS = 60_000

export type Answer = {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Readable
}

export type Call = {
  method: string
  path: string
  headers: Record<string, string>
  body?: Body
  signal?: AbortSignal | undefined
  /** How long the answer may take, where that is not what all have. */
  patienceMs?: number | undefined
}

export type UpstreamLimits = { maxInFlight: number; maxStreams: number; timeoutMs: number }

/** Kinds of requests that must not starve each other: each has its own connections and its own limit. */
export type Compartment = 'records' | 'series' | 'files' | 'streams'

type Bulkhead = { pool: Pool; limit: number; inFlight: number }

/** One server behind this one. */
export class Upstream {
  readonly origin: string
  readonly #bulkheads: Record<Compartment, Bulkhead>

  constructor(origin: string, { maxInFlight, maxStreams, timeoutMs }: UpstreamLimits) {
    this.origin = origin
    const pool = (limit: number, silenceMs: number) =>
      new Pool(origin, {
        connections: limit,
        pipelining: 1,
        connect: { timeout: CONNECT_TIMEOUT_MS },
        headersTimeout: timeoutMs,
        bodyTimeout: silenceMs,
        // Shorter than a server that stops goes on answering (DRAIN_SEC): no request meets a
        // connection that is about to be closed.
        keepAliveTimeout: 5000,
        allowH2: false,
      })
    this.#bulkheads = {
      records: { pool: pool(maxInFlight, timeoutMs), limit: maxInFlight, inFlight: 0 },
      series: { pool: pool(maxInFlight, timeoutMs), limit: maxInFlight, inFlight: 0 },
      files: { pool: pool(maxInFlight, timeoutMs), limit: maxInFlight, inFlight: 0 },
      streams: { pool: pool(maxStreams, STREAM_SILENCE_MS), limit: maxStreams, inFlight: 0 },
    }
  }

  /** Takes a place in a compartment; the function that is returned gives it back. Throws 503 when it is full. */
  enter(compartment: Compartment): () => void {
    const bulkhead = this.#bulkheads[compartment]
    if (bulkhead.inFlight >= bulkhead.limit) throw overloaded(compartment)
    bulkhead.inFlight += 1
    let left = false
    return () => {
      if (!left) bulkhead.inFlight -= 1
      left = true
    }
  }

  inFlight(compartment: Compartment): number {
    return this.#bulkheads[compartment].inFlight
  }

  /** Sends a request and answers as soon as the headers are there.
   *
   * A safe request whose connection broke before it was answered is sent once more, because a
   * kept-alive connection may end just as it is used. Throws 502 or 504 within the time-out.
   */
  async send(call: Call, compartment: Compartment): Promise<Answer> {
    try {
      return await this.#sendOnce(call, compartment)
    } catch (error) {
      const again = isSafe(call.method) && call.body === undefined && isBrokenConnection(error)
      if (!again) throw asProblem(error)
    }
    try {
      return await this.#sendOnce(call, compartment)
    } catch (error) {
      throw asProblem(error)
    }
  }

  async #sendOnce(call: Call, compartment: Compartment): Promise<Answer> {
    const { pool } = this.#bulkheads[compartment]
    const { statusCode, headers, body } = await pool.request({
      method: call.method,
      path: call.path,
      headers: call.headers,
      body: call.body ?? null,
      signal: call.signal ?? null,
      ...(call.patienceMs && { headersTimeout: call.patienceMs }),
    })
    return { status: statusCode, headers, body }
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#bulkheads).map(({ pool }) => pool.destroy()))
  }
}

/** Reads the rest of an answer. Throws 502 when it breaks off or is longer than `limit`. */
export async function readAnswer(body: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body) {
      length += (chunk as Buffer).length
      if (length > limit) throw new Error('the answer is longer than it may be')
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    throw asProblem(error)
  }
  return Buffer.concat(chunks)
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

function isBrokenConnection(error: unknown): boolean {
  if (error instanceof errors.SocketError) return true
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code === 'ECONNRESET' || code === 'EPIPE'
}

function asProblem(error: unknown): unknown {
  if (error instanceof Problem) return error
  if (error instanceof Error && error.name === 'AbortError') return error
  const late =
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError ||
    (error instanceof Error && error.name === 'TimeoutError')
  return late ? upstreamTimeout(error) : upstreamUnreachable(error)
}
