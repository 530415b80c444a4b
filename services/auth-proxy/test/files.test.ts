import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { assertProblem, SAME_ORIGIN, startProxy } from './support/proxy.ts'
import { withoutValkey as skip } from './support/valkey.ts'

const FILE = '/api/v1/runs/1/artifacts/models/best%20one.bin'
const PART = '/api/v1/uploads/1/parts/3'
const OCTETS = { 'content-type': 'application/octet-stream' }

/** Takes whatever is sent to an address, and tells its digest and the headers that came with it. */
async function counting(t: TestContext, environment: Record<string, string> = {}) {
  const stage = await startProxy(t, environment)
  for (const path of [FILE, PART]) {
    stage.behind.handlers.set(path, async (message, response) => {
      const digest = createHash('sha256')
      let size = 0
      for await (const chunk of message) {
        digest.update(chunk as Buffer)
        size += (chunk as Buffer).length
      }
      const { headers } = message
      response.end(JSON.stringify({ size, sha256: digest.digest('hex'), headers }))
    })
  }
  return { ...stage, ada: await stage.signIn() }
}

test('a session sends the bytes of a file, larger than any other body', { skip }, async (t) => {
  const { ada } = await counting(t, { BODY_LIMIT_BYTES: '100000' })
  const body = randomBytes(5_000_000)
  const sha256 = createHash('sha256').update(body).digest('hex')
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
  for (const path of [FILE, PART]) {
    const headers = { ...OCTETS, 'repr-digest': digest }
    const answer = await ada.ask(path, { method: 'PUT', body, headers })
    assert.equal(answer.status, 200, answer.text)
    const seen = answer.json()
    assert.deepEqual([seen.size, seen.sha256], [body.length, sha256])
    assert.equal(seen.headers['repr-digest'], digest)
    assert.match(seen.headers.authorization, /^Bearer access-/)
    assert.equal(seen.headers.cookie, undefined)
    assert.equal(seen.headers['x-csrf-token'], undefined)
  }
})

test('the bytes of a file are held to origin and token like everything else', {
  skip,
}, async (t) => {
  const { ada, ask } = await counting(t)
  const body = randomBytes(10)
  const { cookie } = ada
  for (const path of [FILE, PART]) {
    const put = { method: 'PUT', body }
    const noToken = { cookie, ...OCTETS, ...SAME_ORIGIN }
    assertProblem(await ask(path, { ...put, headers: noToken }), 403, 'csrf-token-invalid')
    const wrongToken = { ...noToken, 'x-csrf-token': 'x'.repeat(43) }
    assertProblem(await ask(path, { ...put, headers: wrongToken }), 403, 'csrf-token-invalid')
    const elsewhere = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    const foreign = await ada.ask(path, { ...put, headers: { ...OCTETS, ...elsewhere } })
    assertProblem(foreign, 403, 'origin-refused')
    const anonymous = await ask(path, { ...put, headers: { ...OCTETS, ...SAME_ORIGIN } })
    assertProblem(anonymous, 401, 'not-signed-in')
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await ada.ask(path, { ...put, headers: { 'content-type': type } })
      assertProblem(answer, 415, 'media-type-unsupported')
    }
  }
})

test('a file may take longer than an answer may, as long as it moves', { skip }, async (t) => {
  const { url, ada } = await counting(t, { UPSTREAM_TIMEOUT_SEC: '1', CLIENT_STALL_SEC: '1' })
  async function* slowly() {
    for (let piece = 0; piece < 8; piece += 1) {
      await delay(400)
      yield Buffer.alloc(50_000, piece)
    }
  }
  const answer = await request(url + FILE, {
    method: 'PUT',
    headers: { cookie: ada.cookie, 'x-csrf-token': ada.csrf, ...SAME_ORIGIN, ...OCTETS },
    body: Readable.from(slowly()),
  })
  const seen = (await answer.body.json()) as { size: number }
  assert.deepEqual([answer.statusCode, seen.size], [200, 400_000])
})

test('a part of a file is asked for and answered as it is', { skip }, async (t) => {
  const { ada, behind } = await counting(t)
  const said = {
    'content-type': 'video/mp4',
    'content-range': 'bytes 10-19/1000',
    'accept-ranges': 'bytes',
    'content-disposition': "attachment; filename*=UTF-8''%D1%84.mp4",
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'repr-digest': 'sha-256=:AAAA:',
    etag: '"abc"',
  }
  let asked: unknown[] = []
  behind.handlers.set(FILE, ({ headers }, response) => {
    asked = [headers.range, headers['if-range']]
    response.writeHead(206, { ...said, 'content-length': 10 }).end('0123456789')
  })
  const headers = { range: 'bytes=10-19', 'if-range': '"abc"' }
  const answer = await ada.ask(FILE, { headers })
  assert.deepEqual([answer.status, answer.text], [206, '0123456789'])
  assert.deepEqual(asked, ['bytes=10-19', '"abc"'])
  for (const [name, value] of Object.entries(said)) assert.equal(answer.headers[name], value, name)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
})

test('files that hang leave room for records and series', { skip }, async (t) => {
  const { ada, behind } = await counting(t, { MAX_IN_FLIGHT: '2', UPSTREAM_TIMEOUT_SEC: '3' })
  behind.handlers.set(FILE, () => {})
  const hanging = [ada.ask(FILE), ada.ask(FILE)]
  await delay(200)
  assertProblem(await ada.ask(FILE), 503, 'overloaded')
  assert.equal((await ada.ask('/api/v1/runs')).status, 200)
  assert.equal((await ada.ask('/api/v1/runs/1/metrics')).status, 200)
  for (const answer of await Promise.all(hanging)) assert.equal(answer.status, 504)
})
