import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalTarget } from '../src/target.ts'

test('a path has one spelling, however its characters were encoded', () => {
  const spellings: Record<string, string> = {
    '/': '/',
    '/api/v1/projects': '/api/v1/projects',
    '/%61pi/v1': '/api/v1',
    '/api/v1/projects/': '/api/v1/projects/',
    '/api/v1/runs/%C3%A9t%c3%a9': '/api/v1/runs/%C3%A9t%C3%A9',
    '/api/v1/x?y=%2e%2e//%25': '/api/v1/x?y=%2e%2e//%25',
    '/api/a%20b/100%25': '/api/a%20b/100%25',
    '/api/.hidden': '/api/.hidden',
    '/api/a..b/...': '/api/a..b/...',
    '/api/a:b': '/api/a%3Ab',
  }
  for (const [given, expected] of Object.entries(spellings)) {
    assert.equal(canonicalTarget(given), expected, given)
  }
})

test('a path on which two servers could disagree has none', () => {
  const refused = [
    '',
    '*',
    'api',
    'http://other.example/api',
    '//api',
    '/api//v1',
    '/api/v1//',
    '/api/../auth',
    '/api/./v1',
    '/api/%2e%2e/auth',
    '/api/%2E./auth',
    '/api/.%2e',
    '/api/..;/auth',
    '/api/..%3bx/auth',
    '/api/%252e%252e/auth',
    '/api/a%252fb',
    '/api/a%2fb',
    '/api/a%2Fb',
    '/api/a%5cb',
    '/api/a\\b',
    '/api/%00',
    '/api/a%0d%0ab',
    '/api/%7f',
    '/api/%ff',
    '/api/%c0%ae%c0%ae/',
    '/api/%ed%a0%80',
    '/api/%',
    '/api/%zz',
    '/api/%u002e',
    '/api/v1#fragment',
    '/api/é',
    '/api/a b',
    '/api?a=b#c',
  ]
  for (const given of refused) assert.equal(canonicalTarget(given), undefined, given)
})
