import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import WebSocket from 'ws'
import { type Browser, SAME_ORIGIN, type Stage, sendRaw, startProxy } from './support/proxy.ts'
import { withoutValkey as skip } from './support/valkey.ts'

const PROGRAM = { authorization: 'Bearer rb_pat_good' }
const STREAM = { accept: 'text/event-stream' }

/** Lets the server behind send an event every 50 ms; tells when the stream was closed. */
function serveEvents({ behind }: Stage): Promise<void> {
  return new Promise((resolve) => {
    behind.handlers.set('/api/v1/runs/1/metrics/stream', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
      let id = 0
      const timer = setInterval(() => {
        id += 1
        response.write(`id: ${id}\nevent: metrics\ndata: {"at":${Date.now()}}\n\n`)
      }, 50)
      response.on('close', () => {
        clearInterval(timer)
        resolve()
      })
    })
  })
}

function openEvents({ url }: Stage, headers: Record<string, string>) {
  return request(`${url}/api/v1/runs/1/metrics/stream`, { headers: { ...STREAM, ...headers } })
}

test('events reach the browser as they happen', { skip }, async (t) => {
  const stage = await startProxy(t)
  const { cookie } = await stage.signIn()
  const closed = serveEvents(stage)
  const { statusCode, headers, body } = await openEvents(stage, { cookie })
  assert.equal(statusCode, 200)
  assert.equal(headers['content-type'], 'text/event-stream')
  assert.equal(headers['cache-control'], 'no-cache')
  let seen = 0
  for await (const chunk of body) {
    const sent = /"at":(\d+)/.exec(String(chunk))?.[1]
    assert.ok(Date.now() - Number(sent) < 2000)
    seen += 1
    if (seen === 5) break
  }
  await closed
})

test('a stream needs a session, and ends with it in every process', { skip }, async (t) => {
  const stage = await startProxy(t)
  const elsewhere = await stage.another()
  const browser = await stage.signIn()
  const closed = serveEvents(stage)
  assert.equal((await openEvents(stage, {})).statusCode, 401)
  const { body } = await openEvents(stage, { cookie: browser.cookie })
  const text = body.text()
  await delay(200)
  await browser.ask('/auth/logout', { method: 'POST', at: elsewhere })
  assert.match(await text, /event: metrics/)
  await closed
})

test('a stream ends with the token that opened it, so that the next one asks again', {
  skip,
}, async (t) => {
  const stage = await startProxy(t)
  stage.behind.tokenSeconds = 1.5
  const { cookie } = await stage.signIn()
  serveEvents(stage)
  const { body } = await openEvents(stage, { cookie })
  assert.match(await body.text(), /event: metrics/)
  stage.behind.tokenSeconds = 900
  assert.equal((await openEvents(stage, { cookie })).statusCode, 200)
})

test('streams have a limit of their own', { skip }, async (t) => {
  const stage = await startProxy(t, { MAX_STREAMS: '2' })
  const browser = await stage.signIn()
  serveEvents(stage)
  const first = await openEvents(stage, { cookie: browser.cookie })
  const second = await openEvents(stage, { cookie: browser.cookie })
  const third = await openEvents(stage, { cookie: browser.cookie })
  assert.deepEqual([first.statusCode, second.statusCode, third.statusCode], [200, 200, 503])
  await third.body.dump()
  assert.equal((await browser.ask('/api/v1/projects')).status, 200)
  for (const { body } of [first, second]) {
    body.on('error', () => {})
    body.destroy()
  }
  for (let waited = 0; stage.app.server.listening && waited < 50; waited += 1) {
    const again = await openEvents(stage, { cookie: browser.cookie })
    again.body.on('error', () => {})
    again.body.destroy()
    if (again.statusCode === 200) return
    await delay(50)
  }
  assert.fail('the places were never given back')
})

test('a program may read a stream with its own token', { skip }, async (t) => {
  const stage = await startProxy(t)
  serveEvents(stage)
  const { statusCode, body } = await openEvents(stage, PROGRAM)
  assert.equal(statusCode, 200)
  body.on('error', () => {})
  body.destroy()
})

function connect(stage: Stage, headers: Record<string, string>, path = '/api/v1/telemetry/stream') {
  return new WebSocket(stage.url.replace('http', 'ws') + path, 'runbench.v1', { headers })
}

/** The status that a handshake is refused with, and the problem. */
async function refusal(socket: WebSocket): Promise<{ status: number; type: string }> {
  const [, answer] = await once(socket, 'unexpected-response')
  let text = ''
  for await (const chunk of answer) text += chunk
  socket.on('error', () => {})
  assert.match(answer.headers['content-type'], /application\/problem\+json/)
  return { status: answer.statusCode, type: JSON.parse(text).type }
}

const cookieAnd = ({ cookie }: Browser, headers: Record<string, string> = SAME_ORIGIN) => ({
  cookie,
  ...headers,
})

test('a WebSocket carries frames both ways with the session’s token', { skip }, async (t) => {
  const stage = await startProxy(t)
  const browser = await stage.signIn()
  const socket = connect(stage, { ...cookieAnd(browser), 'x-user-id': 'forged' })
  const [greeting] = await once(socket, 'message')
  assert.match(String(greeting), /Bearer access-/)
  const big = Buffer.alloc(300_000, 7)
  socket.send(big)
  const [echo, isBinary] = await once(socket, 'message')
  assert.ok(isBinary && big.equals(echo))
  const { headers } = stage.behind.last('/api/v1/telemetry')
  assert.equal(headers.cookie, undefined)
  assert.equal(headers['x-user-id'], undefined)
  socket.close()
  await once(socket, 'close')
})

test('a page of another site cannot open a WebSocket with somebody’s cookie', {
  skip,
}, async (t) => {
  const stage = await startProxy(t)
  const browser = await stage.signIn()
  for (const headers of [
    {},
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'http://localhost:9999' },
  ] as Record<string, string>[]) {
    const refused = await refusal(connect(stage, { cookie: browser.cookie, ...headers }))
    assert.deepEqual(refused, { status: 403, type: '/problems/origin-refused' })
  }
  const foreignProgram = connect(stage, { ...PROGRAM, origin: 'https://evil.example' })
  assert.equal((await refusal(foreignProgram)).status, 403)
})

test('a WebSocket is held to the same rules as every request', { skip }, async (t) => {
  const stage = await startProxy(t)
  const browser = await stage.signIn()
  const headers = cookieAnd(browser)
  assert.equal((await refusal(connect(stage, SAME_ORIGIN))).status, 401)
  assert.equal(
    (await refusal(connect(stage, { ...SAME_ORIGIN, cookie: 'runbench=x' }))).status,
    401,
  )
  assert.equal((await refusal(connect(stage, { ...headers, ...PROGRAM }))).status, 400)
  assert.equal(
    (await refusal(connect(stage, { ...headers, cookie: `${browser.cookie}; ${browser.cookie}` })))
      .status,
    400,
  )
  assert.equal((await refusal(connect(stage, { ...headers, host: 'evil.example' }))).status, 421)
  assert.equal((await refusal(connect(stage, headers, '/auth/sessions'))).status, 404)
  assert.equal((await refusal(connect(stage, headers, '/other'))).status, 404)
  assert.equal((await refusal(connect(stage, headers, '/api/%252e/x'))).status, 400)
  assert.equal((await refusal(connect(stage, { authorization: 'Bearer wrong' }))).status, 401)
  const program = connect(stage, PROGRAM)
  assert.match(String((await once(program, 'message'))[0]), /rb_pat_good/)
  program.terminate()
})

test('signing out closes the session’s WebSockets', { skip }, async (t) => {
  const stage = await startProxy(t)
  const browser = await stage.signIn()
  const socket = connect(stage, cookieAnd(browser))
  await once(socket, 'message')
  const closed = once(socket, 'close')
  await browser.ask('/auth/logout', { method: 'POST' })
  await closed
})

test('a WebSocket to an absent gateway is a 502', { skip }, async (t) => {
  const stage = await startProxy(t, { TARGET_EXPERIMENT_URL: 'http://127.0.0.1:9' })
  const browser = await stage.signIn()
  const refused = await refusal(connect(stage, cookieAnd(browser)))
  assert.deepEqual(refused, { status: 502, type: '/problems/upstream-unreachable' })
})

test('an upgrade to anything else than a WebSocket is answered as a plain request', {
  skip,
}, async (t) => {
  const stage = await startProxy(t)
  const text = `GET /health HTTP/1.1\r\nHost: ${stage.host}\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`
  assert.match(await sendRaw(stage.url, text), /^HTTP\/1.1 200 /)
})
