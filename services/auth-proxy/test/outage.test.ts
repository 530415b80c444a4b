import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Answer,
  assertProblem,
  JSON_BODY,
  PASSWORD,
  SAME_ORIGIN,
  startProxy,
} from './support/proxy.ts'
import { withoutValkey as skip } from './support/valkey.ts'

const PROGRAM = { authorization: 'Bearer rb_pat_good' }
const login = {
  method: 'POST',
  headers: { ...SAME_ORIGIN, ...JSON_BODY },
  body: JSON.stringify({ email: 'ada@example.org', password: PASSWORD }),
}

async function until(ask: () => Promise<Answer>, status: number): Promise<Answer> {
  let answer = await ask()
  for (let waited = 0; answer.status !== status && waited < 100; waited += 1) {
    await delay(100)
    answer = await ask()
  }
  return answer
}

test('without its store nobody is let in as anybody, programs go on, and it recovers by itself', {
  skip,
}, async (t) => {
  const { ask, signIn, valkey, behind } = await startProxy(t)
  const browser = await signIn()
  await valkey.stop()
  const before = behind.seen.length
  for (const path of ['/auth/me', '/api/v1/projects']) {
    const answer = await browser.ask(path)
    assertProblem(answer, 503, 'session-store-unavailable')
    assert.equal(answer.headers['retry-after'], '2')
  }
  assertProblem(
    await browser.ask('/api/v1/x', { method: 'DELETE' }),
    503,
    'session-store-unavailable',
  )
  assertProblem(
    await browser.ask('/auth/logout', { method: 'POST' }),
    503,
    'session-store-unavailable',
  )
  assert.equal(behind.seen.length, before)
  assertProblem(await ask('/auth/login', login), 503, 'session-store-unavailable')
  assert.equal((await ask('/api/v1/projects', { headers: PROGRAM })).status, 200)
  assert.equal((await ask('/health')).status, 200)
  const ready = await until(() => ask('/ready'), 503)
  assert.deepEqual(ready.json().dependencies, { valkey: 'unreachable', gateway: 'ok' })

  await valkey.start()
  assert.equal((await until(() => ask('/ready'), 200)).status, 200)
  assertProblem(await browser.ask('/auth/me'), 401, 'not-signed-in')
  assert.equal((await ask('/auth/login', login)).status, 200)
})

test('a login whose session cannot be kept leaves no session behind at auth-service', {
  skip,
}, async (t) => {
  const { ask, valkey, behind } = await startProxy(t)
  await valkey.stop()
  assertProblem(await ask('/auth/login', login), 503, 'session-store-unavailable')
  assert.equal(behind.live.size, 0)
})

test('a store that does not answer is a 503 in two seconds, and the session is there afterwards', {
  skip,
}, async (t) => {
  const { signIn, valkey } = await startProxy(t)
  const browser = await signIn()
  valkey.pause()
  const started = Date.now()
  const answers = await Promise.all([1, 2, 3].map(() => browser.ask('/auth/me')))
  for (const answer of answers) assertProblem(answer, 503, 'session-store-unavailable')
  assert.ok(Date.now() - started < 4500)
  valkey.resume()
  assert.equal((await until(() => browser.ask('/auth/me'), 200)).status, 200)
})

test('a store that was emptied is a 401', { skip }, async (t) => {
  const { signIn, valkey } = await startProxy(t)
  const browser = await signIn()
  await valkey.client.flushall()
  assertProblem(await browser.ask('/auth/me'), 401, 'not-signed-in')
  assertProblem(await browser.ask('/api/v1/x', { method: 'POST' }), 401, 'not-signed-in')
})

test('an absent gateway makes the process not ready, and alive', { skip }, async (t) => {
  const { ask } = await startProxy(t, { TARGET_EXPERIMENT_URL: 'http://127.0.0.1:9' })
  const ready = await ask('/ready')
  assert.equal(ready.status, 503)
  assert.deepEqual(ready.json(), {
    status: 'unavailable',
    dependencies: { valkey: 'ok', gateway: 'unreachable' },
  })
  assert.equal((await ask('/health')).status, 200)
})
