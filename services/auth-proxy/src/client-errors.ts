import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { Problem } from './problems.ts'

const KINDS: Record<string, [code: string, status: number, reason: string, title: string]> = {
  HPE_HEADER_OVERFLOW: [
    'headers-too-large',
    431,
    'Request Header Fields Too Large',
    'The headers are too large.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request-too-slow',
    408,
    'Request Timeout',
    'The request came too slowly.',
  ],
}
const UNREADABLE = [
  'request-malformed',
  400,
  'Bad Request',
  'This is not an HTTP request.',
] as const

/** Answers what never became a request: broken syntax, headers that are too large or too slow. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [code, status, reason, title] = KINDS[error.code ?? ''] ?? UNREADABLE
  const body = JSON.stringify(
    new Problem(code, status, title).document(randomBytes(16).toString('hex')),
  )
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  )
}
