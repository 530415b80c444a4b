import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { assertProblem, SAME_ORIGIN, sendRaw, startProxy } from './support/proxy.ts'
import { withoutValkey as skip } from './support/valkey.ts'

const PRODUCTION = {
  RUNBENCH_ENV: 'production',
  PUBLIC_ORIGIN: 'https://runbench.example.org',
  CORS_ORIGINS: 'https://tools.example.org:8443',
  ALLOWED_HOSTS: 'auth-proxy:8080',
  SESSION_SECRET: 'f3Rk0mWq8ZtYb1Lx6Vn4Hs9Pj2Dc7Ga5',
}
const PROGRAM = { authorization: 'Bearer rb_pat_good' }

test('only requests for known hosts are answered', { skip }, async (t) => {
  const { ask, host: address, behind } = await startProxy(t, PRODUCTION)
  for (const host of [
    'runbench.example.org',
    'RUNBENCH.example.org',
    'tools.example.org:8443',
    'auth-proxy:8080',
  ]) {
    assert.equal((await ask('/api/v1/x', { headers: { ...PROGRAM, host } })).status, 200, host)
  }
  const before = behind.seen.length
  for (const host of [
    'evil.example',
    'runbench.example.org.evil.example',
    'runbench.example.org:8080',
    'user@runbench.example.org',
    'localhost',
    'localhost:3000',
    '127.0.0.1',
    'rebound.example:8080',
    address,
  ]) {
    const headers = { ...PROGRAM, host, 'x-forwarded-host': 'runbench.example.org' }
    assertProblem(await ask('/api/v1/x', { headers }), 421, 'host-unknown')
  }
  assert.equal(behind.seen.length, before)
})

test('a name that was rebound to this machine is not localhost', { skip }, async (t) => {
  const { ask, host } = await startProxy(t)
  const port = host.split(':')[1]
  for (const name of [
    'evil.example',
    'localhost.evil.example',
    'localhost.',
    '127.0.0.1.nip.io',
    '0.0.0.0',
  ]) {
    const headers = { ...PROGRAM, host: `${name}:${port}` }
    assertProblem(await ask('/api/v1/x', { headers }), 421, 'host-unknown')
  }
  for (const name of ['localhost', '127.0.0.1', '[::1]']) {
    const headers = { ...PROGRAM, host: `${name}:${port}` }
    assert.equal((await ask('/api/v1/x', { headers })).status, 200)
  }
})

test('probes may use the address of a process, and no other name', { skip }, async (t) => {
  const { ask, host } = await startProxy(t, PRODUCTION)
  for (const path of ['/health', '/ready', '/metrics']) {
    assert.equal((await ask(path, { headers: { host } })).status, 200)
    assertProblem(await ask(path, { headers: { host: 'evil.example' } }), 421, 'host-unknown')
  }
})

test('a request without a host, with headers too large or unreadable is refused as a problem', {
  skip,
}, async (t) => {
  const { url, host } = await startProxy(t)
  const large = `GET /health HTTP/1.1\r\nHost: ${host}\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`
  assert.match(await sendRaw(url, large), /^HTTP\/1.1 431 [\s\S]*problem\+json[\s\S]*trace_id/)
  assert.match(
    await sendRaw(url, 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1.1 400 /,
  )
  assert.match(await sendRaw(url, 'nonsense\r\n\r\n'), /^HTTP\/1.1 400 [\s\S]*problem\+json/)
})

test('half a header, a stalled body and a trickling one are closed, and others are served', {
  skip,
}, async (t) => {
  const { url, host, ask } = await startProxy(t, { CLIENT_STALL_SEC: '1' })
  const head = `POST /api/v1/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer rb_pat_good\r\n`
  const stalls: [string, string, number][] = [
    ['half a header', 'GET /health HTTP/1.1\r\nHost: lo', 408],
    ['no byte of a small body', `${head}Content-Length: 100\r\n\r\n`, 408],
    ['half a large body', `${head}Content-Length: 200000\r\n\r\n${'x'.repeat(1000)}`, 408],
    ['half a chunk', `${head}Transfer-Encoding: chunked\r\n\r\nff\r\nxx`, 408],
    [
      'a body that is not even read',
      `POST /api/v1/x HTTP/1.1\r\nHost: ${host}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100\r\n\r\n`,
      401,
    ],
  ]
  const started = Date.now()
  const answers = await Promise.all(
    stalls.map(([, text]) => sendRaw(url, text, { waitMs: 15_000 })),
  )
  assert.ok(Date.now() - started < 12_000)
  for (const [index, [what, , status]] of stalls.entries()) {
    assert.match(answers[index] as string, new RegExp(`^HTTP/1.1 ${status} `), what)
  }
  assert.equal((await ask('/health')).status, 200)
})

test('five hundred connections that say nothing whole do not keep others waiting', {
  skip,
}, async (t) => {
  const { url, host, ask } = await startProxy(t, { CLIENT_STALL_SEC: '1' })
  const { hostname, port } = new URL(url)
  const sockets = Array.from({ length: 500 }, (_, index) => {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.resume()
    const stalled =
      index % 2 === 0
        ? 'GET / HTTP/1.1\r\nHost: '
        : `POST /api/v1/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer rb_pat_good\r\nContent-Length: 9\r\n\r\n`
    socket.write(stalled)
    return socket
  })
  const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
  await delay(300)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask('/api/v1/x', { headers: PROGRAM })),
  )
  for (const answer of answers) assert.equal(answer.status, 200)
  await closed
})

test('a reader that takes nothing is given up, and so is the request behind', {
  skip,
}, async (t) => {
  const { url, host, behind } = await startProxy(t, { CLIENT_STALL_SEC: '1' })
  const { hostname, port } = new URL(url)
  const given_up = new Promise<void>((resolve) => {
    behind.handlers.set('/api/v1/big', async (_request, response) => {
      response.on('close', resolve)
      response.on('error', () => {})
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      const parts = new Array(200).fill(Buffer.alloc(1_000_000))
      await pipeline(Readable.from(parts), response).catch(() => {})
    })
  })
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(
    `GET /api/v1/big HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer rb_pat_good\r\n\r\n`,
  )
  socket.pause()
  await given_up
  socket.destroy()
})

test('an answer to a request whose body was not read closes the connection', {
  skip,
}, async (t) => {
  const { ask } = await startProxy(t)
  const headers = { ...SAME_ORIGIN, 'content-type': 'application/json' }
  const answer = await ask('/api/v1/x', { method: 'POST', headers, body: 'x'.repeat(500_000) })
  assertProblem(answer, 401, 'not-signed-in')
  assert.equal(answer.headers.connection, 'close')
})
