const PLAIN_PATH = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*\/?$/
const OUTSIDE_PRINTABLE_ASCII = /[^\x21-\x7e]/

/** The one spelling of a request target by which it is routed and forwarded, or undefined when it is refused.
 *
 * Each path segment is decoded once and written again, so that `/%61pi/x` is `/api/x` for every rule
 * that follows. Refused are the spellings on which two servers could disagree: encoded slashes and
 * backslashes, dot segments, empty segments, a second layer of encoding, control characters, a fragment,
 * bytes outside of ASCII and anything that is not UTF-8. The query is left as it came.
 */
export function canonicalTarget(target: string): string | undefined {
  if (OUTSIDE_PRINTABLE_ASCII.test(target) || target.includes('#') || target.includes('\\')) {
    return undefined
  }
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : target.slice(mark)
  if (PLAIN_PATH.test(path)) return path === '' ? undefined : path + query
  const [before, ...segments] = path.split('/')
  if (before !== '' || segments.length === 0) return undefined
  let canonical = ''
  for (const [index, segment] of segments.entries()) {
    const written = canonicalSegment(segment)
    if (written === undefined) return undefined
    if (written === '' && index < segments.length - 1) return undefined
    canonical += `/${written}`
  }
  return canonical + query
}

function canonicalSegment(segment: string): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(segment)
  } catch {
    return undefined
  }
  // A path parameter (`..;x`) would hide a dot segment from us and not from a server that strips it.
  const name = decoded.split(';', 1)[0]
  if (name === '.' || name === '..') return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f/\\]/.test(decoded)) return undefined
  if (/%[0-9a-f]{2}/i.test(decoded)) return undefined
  return encodeURIComponent(decoded)
}
