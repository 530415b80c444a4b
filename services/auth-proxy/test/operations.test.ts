import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { Behind } from './support/behind.ts'
import {
  assertProblem,
  JSON_BODY,
  PASSWORD,
  SAME_ORIGIN,
  send,
  startProxy,
} from './support/proxy.ts'
import { withoutValkey as skip, startValkey } from './support/valkey.ts'

const MAIN = join(import.meta.dirname, '../src/main.js')
const PROGRAM = { authorization: 'Bearer rb_pat_good' }

/** The service as it is started for real, in a process of its own. */
async function startProcess(t: TestContext, environment: Record<string, string> = {}) {
  const behind = new Behind()
  const behindUrl = await behind.start()
  t.after(() => behind.stop())
  const valkey = await startValkey()
  t.after(() => valkey.dispose())
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      AUTH_URL: behindUrl,
      TARGET_EXPERIMENT_URL: behindUrl,
      TELEMETRY_BROKER_URL: valkey.url,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const output = outputOf(child)
  const url = await output.find(/http:\/\/127\.0\.0\.1:\d+/)
  for (let waited = 0; waited < 200; waited += 1) {
    if ((await send(`${url}/ready`, {})).status === 200) break
    await delay(50)
  }
  return { url, child, output, behind }
}

function outputOf(child: ChildProcess) {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  return {
    get text() {
      return text
    },
    async find(pattern: RegExp): Promise<string> {
      for (let waited = 0; waited < 400; waited += 1) {
        const found = pattern.exec(text)
        if (found) return found[0]
        await delay(50)
      }
      throw new Error(`${pattern} never came: ${text}`)
    },
  }
}

test('health is always 200, readiness names its dependencies', { skip }, async (t) => {
  const { ask } = await startProxy(t)
  assert.deepEqual((await ask('/health')).json(), { status: 'ok' })
  assert.equal((await ask('/health', { method: 'HEAD' })).status, 200)
  const ready = await ask('/ready')
  assert.equal(ready.status, 200)
  assert.deepEqual(ready.json(), {
    status: 'ok',
    dependencies: { valkey: 'ok', gateway: 'ok' },
  })
})

test('metrics count by matched route, so that no caller can make new series', {
  skip,
}, async (t) => {
  const { ask, signIn } = await startProxy(t)
  const browser = await signIn()
  for (let id = 0; id < 5; id += 1) await browser.ask(`/api/v1/runs/${id}`)
  await ask('/nothing')
  const { text, headers } = await ask('/metrics')
  assert.match(String(headers['content-type']), /^text\/plain; version=/)
  assert.match(
    text,
    /http_server_request_duration_seconds_count\{method="GET",route="\/api\/\*",status="200"\} 5/,
  )
  assert.match(text, /runbench_requests_refused_total\{problem="not-found"\} 1/)
  assert.match(text, /runbench_streams_open 0/)
  assert.match(text, /process_resident_memory_bytes/)
  assert.doesNotMatch(text, /runs\/1/)
})

test('the trace and the id of a request go through to the services and into the answer', {
  skip,
}, async (t) => {
  const { ask, behind } = await startProxy(t)
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const headers = {
    ...PROGRAM,
    traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    tracestate: 'vendor=1',
    'x-request-id': 'my-request.1',
  }
  const answer = await ask('/api/v1/x', { headers })
  const seen = behind.last('/api/').headers
  assert.equal(answer.headers['x-request-id'], 'my-request.1')
  assert.equal(seen['x-request-id'], 'my-request.1')
  assert.match(
    String(seen.traceparent),
    new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`),
  )
  assert.equal(seen.tracestate, 'vendor=1')
  const problem = await ask('/api/v1/x', { headers: { traceparent: headers.traceparent } })
  assert.equal(problem.json().trace_id, traceId)
})

test('a trace or request id that is not one is replaced', { skip }, async (t) => {
  const { ask, behind } = await startProxy(t)
  for (const [traceparent, id] of [
    ['nonsense', 'a b'],
    [`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'x'.repeat(65)],
    [`00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`, '<script>'],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '../../x'],
  ] as const) {
    const headers = { ...PROGRAM, traceparent, 'x-request-id': id, tracestate: 'a=b' }
    const answer = await ask('/api/v1/x', { headers })
    const seen = behind.last('/api/').headers
    assert.match(String(answer.headers['x-request-id']), /^[0-9a-f-]{36}$/)
    assert.match(String(seen.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    assert.ok(!String(seen.traceparent).includes('0af7651916cd43dd'))
    assert.equal(seen.tracestate, undefined)
  }
})

test('no secret reaches a log, and every line about a request carries its trace', {
  skip,
}, async (t) => {
  const { ask, signIn, behind, logs, valkey } = await startProxy(t)
  behind.tokenSeconds = 0.3
  const browser = await signIn()
  await delay(350)
  const given = new Set(
    [...behind.live.values()].flatMap(({ access, refresh }) => [access, refresh]),
  )
  await browser.ask('/api/v1/projects?token=in-the-query')
  for (const { access, refresh } of behind.live.values()) given.add(access).add(refresh)
  await ask('/auth/login', {
    method: 'POST',
    headers: { ...SAME_ORIGIN, ...JSON_BODY },
    body: '{"password":"hunter2"}',
  })
  await ask('/api/v1/x', { headers: { authorization: 'Bearer rb_pat_secret' } })
  behind.authIsDown = true
  await browser.ask('/auth/refresh', { method: 'POST' })
  await valkey.stop()
  await browser.ask('/auth/me')
  const log = logs.join('')
  const secrets = [
    ...given,
    browser.cookie.split('=')[1],
    browser.csrf,
    PASSWORD,
    'hunter2',
    'rb_pat_secret',
    'in-the-query',
  ]
  for (const secret of secrets) assert.ok(secret && !log.includes(secret))
  const lines = logs.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  assert.ok(lines.length >= 5)
  for (const line of lines) {
    assert.match(line.trace_id, /^[0-9a-f]{32}$/)
    assert.ok(line.request_id && line.method && line.route && line.status)
  }
})

test('what a client writes into a path cannot break a log line', { skip }, async (t) => {
  const { ask, logs } = await startProxy(t)
  await ask(`/nothing/${'x'.repeat(5000)}`)
  await ask('/nothing/%1b%5b31m')
  for (const line of logs) {
    assert.doesNotThrow(() => JSON.parse(line))
    assert.ok(line.length < 2000)
  }
})

test('an answer that auth-service never promised is a 502 without its inside, and the process lives', {
  skip,
}, async (t) => {
  const { ask, signIn, logs, behind } = await startProxy(t)
  const browser = await signIn()
  behind.handlers.set('/auth/me', (_request, response) => {
    response.end('not json, which whoever answers /auth/me promised')
  })
  const answer = await browser.ask('/auth/me')
  assertProblem(answer, 502, 'upstream-unreachable')
  assert.doesNotMatch(answer.text, /SyntaxError|\.ts|stack/)
  assert.ok(logs.some((line) => line.includes('upstream-unreachable')))
  assert.equal((await ask('/health')).status, 200)
})

test('SIGTERM lets a request finish, ends streams, and leaves with 0', { skip }, async (t) => {
  const { url, child, behind, output } = await startProcess(t)
  behind.handlers.set('/api/v1/slow', async (_request, response) => {
    await delay(700)
    response.end('finished')
  })
  behind.handlers.set('/api/v1/live', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  const headers = { ...PROGRAM, accept: 'text/event-stream' }
  const live = await request(`${url}/api/v1/live`, { headers })
  const liveText = live.body.text()
  const slow = send(`${url}/api/v1/slow`, { headers: PROGRAM })
  await delay(200)
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  assert.equal((await slow).text, 'finished')
  assert.equal(await liveText, 'data: 1\n\n')
  const [code] = await gone
  assert.equal(code, 0, output.text)
  assert.match(output.text, /"msg":"stopped"/)
})

test('connections that were opened ahead of need do not hold up the end', { skip }, async (t) => {
  const { url, child } = await startProcess(t)
  const { connect } = await import('node:net')
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  const started = Date.now()
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = await gone
  assert.equal(code, 0)
  assert.ok(Date.now() - started < 5000)
  await closed
})

test('while it drains it says so, and ends each connection with its answer', {
  skip,
}, async (t) => {
  const { url, child, output } = await startProcess(t, { DRAIN_SEC: '1' })
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await output.find(/"msg":"stopping"/)
  const ready = await send(`${url}/ready`, {})
  assert.equal(ready.status, 503)
  assert.equal(ready.json().status, 'draining')
  const health = await send(`${url}/health`, {})
  assert.equal(health.status, 503)
  assert.equal(health.json().status, 'draining')
  const answer = await send(`${url}/api/v1/x`, { headers: PROGRAM })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.connection, 'close')
  assert.equal((await gone)[0], 0)
})

test('a wrong setting or a taken port is said in one line, with exit code 2', {
  skip,
}, async (t) => {
  const run = async (environment: Record<string, string>) => {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = outputOf(child)
    const [code] = await once(child, 'exit')
    await delay(50)
    return { code, text: output.text }
  }
  const wrong = await run({ PORT: 'x' })
  assert.equal(wrong.code, 2)
  assert.match(wrong.text, /PORT is not a number/)
  assert.doesNotMatch(wrong.text, /\n\s+at /)
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const inUse = await run({ PORT: String(port) })
  assert.equal(inUse.code, 2)
  assert.match(inUse.text, new RegExp(`port ${port} of 127.0.0.1 is in use`))
})

test('the console format is for people: no JSON', { skip }, async (t) => {
  const { output } = await startProcess(t, { LOG_FORMAT: 'console' })
  assert.match(output.text, /INFO.*Server listening/)
  assert.doesNotMatch(output.text, /"level"/)
})

test('spans go to the OTLP endpoint, in the trace of the caller', { skip }, async (t) => {
  const bodies: Buffer[] = []
  const collector = createServer(async (message, response) => {
    for await (const chunk of message) bodies.push(chunk as Buffer)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  t.after(() => collector.close())
  await once(collector, 'listening')
  const { port } = collector.address() as { port: number }
  const { url, child, behind } = await startProcess(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/`,
  })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const headers = { ...PROGRAM, traceparent: `00-${traceId}-b7ad6b7169203331-01` }
  assert.equal((await send(`${url}/api/v1/x`, { headers })).status, 200)
  const spanId = String(behind.last('/api/').headers.traceparent).split('-')[2]
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
  const sent = Buffer.concat(bodies).toString()
  assert.ok(sent.includes(traceId) && sent.includes(String(spanId)))
  assert.ok(sent.includes('GET /api/*') && sent.includes('auth-proxy'))
})

for (const [which, listens] of [
  ['is away', false],
  ['never answers', true],
] as const) {
  test(`a collector that ${which} holds nothing up`, { skip }, async (t) => {
    const deaf = createServer(() => {}).listen(0, '127.0.0.1')
    await once(deaf, 'listening')
    const { port } = deaf.address() as { port: number }
    t.after(() => deaf.closeAllConnections())
    t.after(() => deaf.close())
    if (!listens) deaf.close()
    const { url, child } = await startProcess(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    })
    for (let count = 0; count < 20; count += 1) {
      assert.equal((await send(`${url}/api/v1/x`, { headers: PROGRAM })).status, 200)
    }
    const gone = once(child, 'exit')
    const began = Date.now()
    child.kill('SIGTERM')
    assert.equal((await gone)[0], 0)
    assert.ok(Date.now() - began < 4800, 'it waits for less than one try of the exporter')
  })
}
